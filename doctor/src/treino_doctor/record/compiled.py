"""Compiled nets and functions: nothing is recorded while one runs, so the compiler sees only the program."""

import functools
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

from treino_doctor.record.lines import unseen
from treino_doctor.record.nets import Nets
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.torch_versions import has_compile


class Compiled(Observer):
    """Wraps what ``torch.compile`` returns. entering: called with (module, arguments, caller's frame)."""

    def __init__(self, of: Recording, nets: Nets, entering: Callable[[Any, Any, Any], None]) -> None:
        super().__init__(of)
        self._nets, self._entering = nets, entering
        self._patched = False

    def install(self) -> None:
        if not has_compile:
            return
        compiled, original = self, torch.compile

        @functools.wraps(original)
        def compile(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            compiled._modules()
            model = args[0] if args else kwargs.get("model")
            if model is None or isinstance(result, nn.Module) or not callable(result):
                return result  # a decorator; its result passes through here again
            return compiled._around(result, getattr(model, "__self__", None))

        self._hooks.replace(torch, "compile", unseen(compile))

    def _modules(self) -> None:
        """Wrap the class of compiled modules, which takes a second to import."""
        if not self._patched:
            from torch._dynamo.eval_frame import OptimizedModule

            self._patched = True
            self._hooks.replace(OptimizedModule, "__call__", self._around(OptimizedModule.__call__))

    def _around(self, original: Any, of: Any = None) -> Any:
        """Run a compiled callable unobserved; record its result. of: the module whose method is called."""
        return self._hooks.observed(original, partial(self._run, of))

    def _run(self, of: Any, original: Any, args: Any, kwargs: Any) -> Any:
        itself = of is None and bool(args) and isinstance(args[0], nn.Module)
        module, inputs = (args[0], args[1:]) if itself else (of, args)
        if itself:
            self._entering(module, inputs, sys._getframe(2))
        is_watched = isinstance(module, nn.Module) and bool(self._nets.handles)
        if is_watched:
            self._nets.entering(module, inputs)
        result = None
        try:
            with self._nets.away():
                result = original(*args, **kwargs)
        finally:
            if is_watched:
                self._nets.leaving(module, inputs, result)
        if not is_watched and self._tape.on:
            self._hooks.quietly("compiled", self._nets.unseen, "compiled", (args, kwargs), result)
        return result
