"""Losses and accuracies that a script computes without gradient: on rows that it doesn't train on."""

import functools
import linecache
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.compiler import is_compiling
from torch.nn import functional

from treino_doctor.record.lines import is_own, unseen
from treino_doctor.record.torch_versions import in_transform
from treino_studio.script.json_socket import figure
from treino_studio.script.printed_figures import split_of

CLASSES = "cross_entropy", "nll_loss"
BINARY = {"binary_cross_entropy": 0.5, "binary_cross_entropy_with_logits": 0.0}  # thresholds of class 1
LOSSES = *CLASSES, *BINARY, "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"
FEW = 100_000  # values up to which numpy finds the largest ones more quickly than torch
MOST_PASSES = 200  # maximum number of passes that wait for a message: the last ones
CALLED = re.compile(r"\w+(?=\()")  # names of functions that are called
DEEPEST = 8  # maximum number of innermost lines of the script that distinguish passes

Amount = float | Tensor  # on an accelerator a tensor, which is read later to avoid synchronizing now


class Place(NamedTuple):
    """Where a script calls a loss function.

    number: in the order of first calls. line: the outermost one of the script. split: the rows of the loss,
    by the names in the code.
    """

    number: int
    line: int
    split: str


@dataclass
class Pass:
    """One pass over rows."""

    place: Place
    loss: Amount = 0.0
    rows: int = 0
    right: Amount = 0.0
    answered: Amount = 0.0

    def to_json(self) -> dict[str, Any]:
        answered = float(self.answered)
        return {
            "place": self.place.number,
            "line": self.place.line,
            "split": self.place.split,
            "rows": self.rows,
            "loss": figure(float(self.loss) / self.rows),
            "accuracy": float(self.right) / answered if answered else None,
        }


class Evaluations:
    """The passes over rows since the last step of an optimizer, and earlier ones that no message contains.

    on: whether anything is measured.
    """

    def __init__(self) -> None:
        self.on = True
        self._places: dict[tuple[tuple[int, int], ...], Place] = {}
        self._present: dict[Place, Pass] = {}
        self._ended: deque[tuple[int, Pass]] = deque(maxlen=MOST_PASSES)

    def end_passes(self, step: int) -> None:
        """Note that the script trains on: what follows is another pass. step: the last step before that."""
        if self._present:
            self._ended += ((step, each) for each in self._present.values())
            self._present = {}

    def __bool__(self) -> bool:
        return bool(self._ended or self._present)

    def take(self) -> list[dict[str, Any]]:
        """Return the passes that have ended, each only once."""
        ended = [*self._ended]
        self._ended.clear()
        return [{"step": step, **each.to_json()} for step, each in ended]

    def note(self, name: str, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note that a loss function returned ``result``."""
        x, y = (args[k] if len(args) > k else kwargs.get(key) for k, key in enumerate(("input", "target")))
        if not (isinstance(x, Tensor) and isinstance(y, Tensor) and isinstance(result, Tensor)):
            return
        if not x.dim() or not x.shape[0]:
            return
        with torch._C.DisableTorchFunction():
            rows, loss = x.shape[0], _amount(result if result.numel() == 1 else result.mean())
            loss = loss if kwargs.get("reduction") == "sum" else loss * rows
            right, answered = _right(name, x.detach(), y, kwargs) if x.numel() else (0.0, 0.0)
        frames = [*_own_frames(sys._getframe(2))][:DEEPEST]
        if not frames:
            return
        key = tuple((id(frame.f_code), frame.f_lasti) for frame in frames)
        if (place := self._places.get(key)) is None:
            texts = [_text(frame) for frame in frames]
            # a function's arguments tell more than its name: test(net, train_loader)
            told = [*(CALLED.sub("", line) for _name, line in texts), *(name for name, _line in texts)]
            split = next(filter(None, map(split_of, told)), "validation")
            place = self._places[key] = Place(len(self._places), frames[-1].f_lineno, split)
        present = self._present.setdefault(place, Pass(place))
        present.loss = present.loss + loss
        present.rows += rows
        present.right, present.answered = present.right + right, present.answered + answered


def watch(evaluations: Evaluations) -> Iterator[Callable[[], None]]:
    """Watch torch's loss functions; yield a function that undoes this."""
    for name in LOSSES:
        original = getattr(functional, name)
        setattr(functional, name, _watched(original, name, evaluations))
        yield functools.partial(setattr, functional, name, original)


def _watched(original: Any, name: str, evaluations: Evaluations) -> Any:
    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        # tested first: a compiler assumes that it is true, and so compiles only the original
        if is_compiling() or torch.is_grad_enabled() or not evaluations.on:
            return original(*args, **kwargs)
        result = original(*args, **kwargs)
        if not in_transform() and torch._C._len_torch_dispatch_stack() == 0:
            try:
                evaluations.note(name, result, args, kwargs)
            except Exception:  # tensors without values, as while a graph is captured
                evaluations.on = False
        return result

    watched.__prepare_scriptable__ = lambda: original  # type: ignore[attr-defined]
    return unseen(watched)


def _right(name: str, x: Tensor, y: Tensor, kwargs: dict[str, Any]) -> tuple[Amount, Amount]:
    """Count the right answers and all answers; (0, 0) if there are no classes."""
    if name in CLASSES and x.dim() > 1 and x.shape[1] > 1:
        if not y.is_floating_point() and x.dim() == y.dim() + 1:
            labels, ignored = _values(y), int(kwargs.get("ignore_index", -100))
            known = (labels != ignored).sum() if x.dim() > 2 or labels.min() < 0 or ignored >= 0 else len(y)
            return _amount((_classes(x) == labels).sum()), _amount(known)
        if y.shape == x.shape:
            return _amount((_classes(x) == _classes(y)).sum()), float(y.numel() // y.shape[1])
    if name in BINARY and x.shape == y.shape and x.numel() == x.shape[0]:
        labels = _values(y)
        if y.device.type == "cpu" and ((labels == 0) | (labels == 1)).all():
            return _amount(((_values(x) > BINARY[name]) == (labels > 0.5)).sum()), float(y.numel())
    return 0.0, 0.0


def _values(tensor: Tensor) -> Any:
    """The values as a numpy array, which is faster for few values."""
    return tensor.numpy() if tensor.device.type == "cpu" and tensor.dtype is not torch.bfloat16 else tensor


def _classes(x: Tensor) -> Any:
    """The class of each row: the one with the largest value."""
    return _values(x).argmax(1) if x.numel() < FEW else _values(x.argmax(1))


def _amount(value: Any) -> Amount:
    on_accelerator = isinstance(value, Tensor) and value.device.type != "cpu"
    return value.detach().double() if on_accelerator else float(value)


def _own_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of the user's own code, the innermost first."""
    while frame is not None:
        if is_own(frame.f_code.co_filename):
            yield frame
            if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
                return
        frame = frame.f_back


def _text(frame: FrameType) -> tuple[str, str]:
    """The name of a frame's function, and its running line."""
    code = frame.f_code
    return code.co_name, linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals).strip()
