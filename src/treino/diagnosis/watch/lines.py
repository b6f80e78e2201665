"""Which line made which node of a graph, and where values leave it.

For a few steps every torch function is looked at by a TorchFunctionMode (it costs two thirds of a small step,
so it is on only until each line that calls backward has done so twice). Graphs of one line resemble
each other: the k-th node of a name in a later graph was made where the k-th one of these few was made.
"""

import functools
import os
import sys
import threading
import warnings
from bisect import bisect_left
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

import torch
from torch import nn
from torch._C import _get_function_stack_at, _len_torch_function_stack
from torch.overrides import TorchFunctionMode, _pop_mode, _push_mode

from treino.diagnosis.finding import Site
from treino.diagnosis.record.hooks import UNSEEN, in_functorch, unseen
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.patches import Patches

STEPS = 2  # backwards of a line that are looked at
CALLS = 3000  # torch functions that are looked at before the first backward
MOST = 30_000  # ... in all

TORCH = os.path.dirname(torch.__file__)

Left = Callable[[str, Any], None]  # (function's name, its arguments)
Made = Callable[[str, Any, Any], None]  # ... and its result


class Lines(TorchFunctionMode):
    """Off at first; ``begin`` turns it on, ``end`` off, as long as it is ``wanted``."""

    def __init__(self, patches: Patches) -> None:
        super().__init__()
        self.patches = patches
        self.place: Callable[[], Site | None] = here
        self.left: list[Left] = []  # told where a value leaves the graph
        self.made: list[Made] = []  # told of every value that a function gives
        self.on = False
        self.wanted = self._outermost = True
        self._calls = 0
        self._plain = [
            (owner, dict(vars(owner))) for owner in (torch.Tensor, nn.functional, torch.functional)
        ]
        self.plain_backward = torch.Tensor.backward
        self._own_backward: Any = None
        self._banned = False
        self._places: dict[int, Site | None] = {}  # a node's sequence number -> its line
        self._maps: dict[Site | None, dict[str, list[Site | None]]] = {}
        self._shown: list[warnings.WarningMessage] = []

    def install(self) -> None:
        self.patches.before(torch, "compile", lambda a, k: self.ban())
        self.plain_backward = torch.Tensor.backward
        self.want()
        # Layers with a fast path leave it where a mode is on, which changes the last bits of a result.
        for kind in (nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerEncoder):
            self._aside(kind)

    def _aside(self, kind: type) -> None:
        original = vars(kind)["forward"]
        lines = self

        def forward(*args: Any, **kwargs: Any) -> Any:
            if not lines.on or not lines._topmost():
                return original(*args, **kwargs)
            _pop_mode()
            try:
                return original(*args, **kwargs)
            finally:
                _push_mode(lines)

        forward.__name__, forward.__doc__ = "forward", original.__doc__
        forward.__wrapped__ = original  # type: ignore[attr-defined]
        self.patches.replace(kind, "forward", unseen(forward))

    # --- on and off -----------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Look at functions from now on, where nobody else's mode is in the way."""
        if self.wanted and not self.on and not self._banned and _len_torch_function_stack() == 0:
            _push_mode(self)
            self.on = True

    def end(self) -> None:
        """Look no more. No effect inside of a function that is looked at: the mode is aside there."""
        if self.on and self._topmost():
            _pop_mode()
            self.on = False

    def want(self) -> None:
        """A new line calls backward: look at its next graph. Modes are aside while a function runs, so that
        on and off wait until Tensor.backward is over.
        """
        self.wanted = not self._banned and self._calls < MOST
        if self.wanted and torch.Tensor.backward is self.plain_backward:
            torch.Tensor.backward = self._own_backward = self._backward()  # type: ignore[method-assign]

    def _give_back(self) -> None:
        """Tensor.backward as it was, unless the script has exchanged it meanwhile."""
        if torch.Tensor.backward is self._own_backward:
            torch.Tensor.backward = self.plain_backward  # type: ignore[method-assign]

    def _backward(self) -> Any:
        original = self.plain_backward

        @functools.wraps(original)
        def backward(*args: Any, **kwargs: Any) -> None:
            outermost, self._outermost = self._outermost, False  # a mode calls this again, inside of it
            try:
                original(*args, **kwargs)
            finally:
                self._outermost = outermost
            if outermost:
                self.over()

        return unseen(backward)

    def over(self) -> None:
        """A backward is over, and no function that is looked at is around it."""
        if self._outermost and self.patches.watching():
            if self.wanted:
                self.begin()
            else:
                self.end()
                self._give_back()

    def ban(self) -> None:
        """Something here can't be traced under a mode."""
        self._banned = True
        self.remove()

    def remove(self) -> None:
        """Off, whatever lies on top."""
        self._give_back()
        above = []
        while self.on and _len_torch_function_stack():
            mode = _pop_mode()
            if mode is self:
                self.on = False
            else:
                above.append(mode)
        for mode in reversed(above):
            _push_mode(mode)

    def _topmost(self) -> bool:
        n = _len_torch_function_stack()
        return n > 0 and _get_function_stack_at(n - 1) is self

    # --- looking --------------------------------------------------------------------------------------------
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        patches = self.patches
        if not (patches.on and self.wanted) or threading.get_ident() != patches.thread or in_functorch():
            return func(*args, **(kwargs or {}))
        if type(func) is FunctionType:
            if func.__code__.co_filename == UNSEEN:
                func = vars(func).get("__wrapped__", func)  # our wrap is outside of this already
            elif not func.__code__.co_filename.startswith(TORCH):
                func = self._meant(func)
            show = warnings._showwarnmsg  # type: ignore[attr-defined]
            warnings._showwarnmsg = self._shown.append  # type: ignore[attr-defined]
            try:
                result = func(*args, **(kwargs or {}))
            finally:
                warnings._showwarnmsg = show  # type: ignore[attr-defined]
                if self._shown:
                    self._show()
        else:
            result = func(*args, **(kwargs or {}))
        patches.on = False
        try:
            self._look(func, args, result)
        except Exception as error:
            patches.defect("lines", error)
        patches.on = True
        return result

    def _meant(self, func: Any) -> Any:
        """torch dispatches by its functions' names: what the script has exchanged is found in place of the
        plain function, which it has called already.
        """
        for owner, plain in self._plain:
            for name, original in plain.items():
                if vars(owner).get(name) is func:
                    return original
        return func

    def _show(self) -> None:
        """A warning counts frames up to its caller's line: without us it would have named that one."""
        site = here()
        for w in self._shown:
            file, line = (site.file, site.line) if site is not None else (w.filename, w.lineno)
            warnings.warn_explicit(w.message, w.category, file, line, registry=_registry(file))
        self._shown.clear()

    def _look(self, func: Any, args: Any, result: Any) -> None:
        self._calls += 1
        if self._calls > MOST or (self._calls > CALLS and not self._maps):
            self.wanted = False
        name = getattr(func, "__name__", "")
        result = args[0] if name == "__setitem__" else result
        t = result[0] if isinstance(result, (tuple, list)) and result else result
        if not isinstance(t, torch.Tensor):
            return
        try:
            node = t.grad_fn
        except RuntimeError:  # a view that no_grad made, of what has been changed since
            return
        if name == "__get__":
            name = getattr(getattr(func, "__self__", None), "__name__", "")
        for told in self.made:
            told(name, args, result)
        if node is not None:
            self._places.setdefault(node._sequence_nr(), self.place())
            return
        if not t.requires_grad:
            for listener in self.left:
                listener(name, args)

    # --- answers --------------------------------------------------------------------------------------------
    def read(self, site: Site | None, nodes: list[Any]) -> None:
        """A graph that was just built: remember the lines of its nodes."""
        if not self._places or not self.on:
            return
        if len(self._places) > 8192:
            for old in sorted(self._places)[:4096]:
                del self._places[old]
        numbers = sorted(self._places)
        found: dict[str, list[Site | None]] = {}
        for node in _in_order(nodes):
            at = bisect_left(numbers, node._sequence_nr())
            place = self._places[numbers[at]] if at < len(numbers) else None
            found.setdefault(node.name(), []).append(place)
        self._maps[site] = found

    def just_made(self, node: Any) -> Site | None:
        """The line of a node of the graph that is being built, where it is known."""
        return self._places.get(node._sequence_nr())

    def of(self, site: Site | None, nodes: list[Any], node: Any) -> Site | None:
        """The line that made a node of a graph whose backward is called on this line."""
        exact = self._places.get(node._sequence_nr())
        if exact is not None:
            return exact
        name = node.name()
        known = self._maps.get(site, {}).get(name, [])
        same = [n for n in _in_order(nodes) if n.name() == name]
        if not known or node not in same:
            return None
        return known[min(same.index(node), len(known) - 1)]


def _in_order(nodes: list[Any]) -> list[Any]:
    """A graph's nodes as they were made, without the leaves."""
    return sorted((n for n in nodes if not hasattr(n, "variable")), key=lambda n: n._sequence_nr())


def _registry(file: str) -> dict[Any, Any]:
    """The table in which Python notes that a file's line has warned already."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == file:
            return dict.setdefault(frame.f_globals, "__warningregistry__", {})
        frame = frame.f_back
    return {}


unseen(Lines.__torch_function__)
