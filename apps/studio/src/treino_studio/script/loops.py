"""How far the outermost counting loop of a script is: ``for epoch in range(epochs)``."""

import ast
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

WRAPPED = "tqdm", "trange", "track", "enumerate"  # calls that pass a range's numbers on
ARITHMETIC = {ast.Add: int.__add__, ast.Sub: int.__sub__, ast.Mult: int.__mul__}

LOCALS_ARE_VIEWS = hasattr(
    sys, "_is_gil_enabled"
)  # since Python 3.13; before, f_locals keeps all values alive


class Loops:
    """The loops of the program that runs as ``__main__``, whose text is read once."""

    def __init__(self) -> None:
        self._loops: dict[str, list[ast.For]] = {}

    def progress(self) -> tuple[int, int] | None:
        """(rounds that have ended, rounds in all) of the outermost loop over a range around the caller."""
        frame: FrameType | None = sys._getframe(1)
        outermost = None
        while frame is not None:
            if frame.f_globals.get("__name__") == "__main__" and (found := self._of_frame(frame)):
                outermost = found
            frame = frame.f_back
        return outermost

    def _of_frame(self, frame: FrameType) -> tuple[int, int] | None:
        names: Mapping[str, Any] = frame.f_globals
        if frame.f_code.co_name != "<module>":
            if not LOCALS_ARE_VIEWS:
                return None
            names = {**frame.f_globals, **frame.f_locals}
        for loop in self._of_file(frame.f_code.co_filename):
            if not loop.lineno < frame.f_lineno <= (loop.end_lineno or 0):
                continue
            target = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
            rounds = _range(loop.iter, names)
            value = names.get(target.id) if isinstance(target, ast.Name) else None
            if rounds is not None and type(value) is int and value in rounds:
                return rounds.index(value), len(rounds)
        return None

    def _of_file(self, path: str) -> list[ast.For]:
        if path not in self._loops:
            try:
                tree = ast.parse(Path(path).read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError):
                self._loops[path] = []
            else:
                loops = (node for node in ast.walk(tree) if isinstance(node, ast.For))
                self._loops[path] = sorted(loops, key=lambda loop: loop.lineno)
        return self._loops[path]


def _range(call: ast.expr, names: Mapping[str, Any]) -> range | None:
    """The range that an expression builds, if its text alone shows this."""
    if not isinstance(call, ast.Call) or not call.args:
        return None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in ("range", "trange"):
        return _range(call.args[0], names) if name in WRAPPED else None
    bounds = [_whole(each, names) for each in call.args]
    known = [each for each in bounds if each is not None]
    if len(known) < len(bounds) or not 1 <= len(known) <= 3 or known[2:] == [0]:
        return None
    return range(*known)


def _whole(node: ast.expr, names: Mapping[str, Any]) -> int | None:
    """The whole number that an expression stands for, where looking it up runs no code of the script."""
    value = _value(node, names)
    return value if type(value) is int else None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return inspect.getattr_static(_value(node.value, names), node.attr, None)
    if isinstance(node, ast.Subscript):
        holder, key = _value(node.value, names), _value(node.slice, names)
        return holder.get(key) if type(holder) is dict and isinstance(key, (str, int)) else None
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        left, right = _whole(node.left, names), _whole(node.right, names)
        return None if left is None or right is None else ARITHMETIC[type(node.op)](left, right)
    return None
