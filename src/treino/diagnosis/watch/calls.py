"""Where a script calls its nets: by ``net(x)``, or by ``net.forward(x)``, which runs no hook."""

import functools
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any

import torch
from torch import nn

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import calls_forward
from treino.diagnosis.record.hooks import compiling, in_functorch, unseen
from treino.diagnosis.watch.patches import Patches

Passes = Callable[[nn.Module, Any], bool]  # (net, result): whether it is a training like those before it
Called = Callable[[nn.Module, Any, Any, Any], None]  # (net, arguments, named ones, result)


class Calls:
    """Tells of each outermost call of a module; those inside of it are on the stack meanwhile."""

    def __init__(self, patches: Patches, passes: Passes, called: Called) -> None:
        self.patches, self.passes, self.called = patches, passes, called
        self.stack: list[nn.Module] = []
        self._direct: set[type] = set()  # kinds of modules whose forward may be called directly

    def install(self) -> None:
        patches, stack, original = self.patches, self.stack, nn.Module.__call__
        ident, main, grad_enabled = threading.get_ident, patches.thread, torch.is_grad_enabled

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if patches.careful and compiling():
                return original(module, *args, **kwargs)
            if (stack and not patches.full) or not patches.on or ident() != main:
                return original(module, *args, **kwargs)
            if patches.quiet and not grad_enabled():
                patches.quiet = False  # an evaluation is looked at from its first call on
            stack.append(module)
            try:
                result = original(module, *args, **kwargs)
            finally:
                stack.pop()
            if not stack:
                self._over(module, args, kwargs, result)
            return result

        patches.replace(nn.Module, "__call__", unseen(call))

    def made(self, module: nn.Module, site: Site | None) -> None:
        """A module was made: a file that calls ``forward`` may call that of this kind."""
        kind = type(module)
        if site is None or kind in self._direct or not calls_forward(site.file):
            return
        self._direct.add(kind)
        own = "forward" in vars(kind) and not kind.__module__.startswith("torch.")
        if own or kind is nn.Sequential:
            self.patches.replace(kind, "forward", unseen(self._forward(vars(kind)["forward"])))

    def _forward(self, original: Any) -> Any:
        patches, stack = self.patches, self.stack

        @functools.wraps(original)
        def forward(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if (patches.careful and compiling()) or stack or not patches.watching():
                return original(module, *args, **kwargs)
            stack.append(module)
            try:
                result = original(module, *args, **kwargs)
            finally:
                stack.pop()
            self._over(module, args, kwargs, result)
            return result

        return forward

    def _over(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        patches = self.patches
        if in_functorch() or (not patches.full and self.passes(module, result)):
            return
        patches.count += 1
        started = 0.0 if patches.count & 15 else perf_counter()
        patches.on = False
        try:
            self.called(module, args, kwargs, result)
        except Exception as error:
            patches.defect("forward", error)
        patches.on = True
        if started:
            patches.spent += 16 * (perf_counter() - started)
