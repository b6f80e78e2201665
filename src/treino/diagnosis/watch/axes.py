"""Answers taken along the wrong axis out of sight of tensors: by ``topk``, and by NumPy on a net's output."""

import ast
import sys
import weakref
from itertools import islice
from types import FrameType
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.figure_axes import apart_in_numpy
from treino.diagnosis.reading.provenance import functions
from treino.diagnosis.reading.source import call_name, called, tree
from treino.diagnosis.reading.traced import Value, traced
from treino.diagnosis.record.lines import here, is_own
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Output
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import AxisSeen, Seen

HANDS = 40  # names and calls that an array goes through


class Axes:
    """Wraps ``topk``, ``numpy.argmax`` and ``Tensor.numpy``, whose array keeps the output's memory."""

    def __init__(self, seen: Seen, patches: Patches, nets: Nets) -> None:
        self.seen, self.patches, self.nets = seen, patches, nets
        self._arrays: dict[int, tuple[tuple[int, ...], int]] = {}  # address -> (shape, class axis)
        self._axes: dict[Site | None, AxisSeen] = {}
        self._columns: list[weakref.ref[torch.Tensor]] = []  # the newest answers [rows, 1]
        self._kept_at: tuple[Site | None, int] = (None, 0)  # the line of the newest of them, its rows
        self._read: dict[Site, tuple[int, Site] | None] = {}  # what the source does with an array of a line

    def install(self) -> None:
        """Put the wraps on."""
        self.patches.after(torch.Tensor, "numpy", self._to_numpy, always=False)
        self.patches.after(np, "argmax", self._argmax, always=False)
        for name in ("concatenate", "vstack"):
            self.patches.after(np, name, self._joined)
        for owner, name in ((torch.Tensor, "eq"), (torch.Tensor, "__eq__"), (torch, "eq")):
            self.patches.after(owner, name, self._stretched)
        for owner in (torch, torch.Tensor):
            self.patches.after(owner, "topk", self._topk, always=False)
            for name in ("argmax", "topk", "max"):
                self.patches.after(owner, name, self._kept)

    def _output(self, t: torch.Tensor) -> Output | None:
        """The net's output that a tensor is or shares its memory with, detached or not."""
        found = self.nets.outputs.match(t)
        if found is None:
            for output in reversed(self.nets.outputs.newest):
                held = output.ref()
                if held is not None and held.data_ptr() == t.data_ptr() and tuple(t.shape) == output.shape:
                    return output
        return found

    def _topk(self, result: Any, args: Any, kwargs: Any) -> None:
        t = args[0]
        dim = args[2] if len(args) > 2 else kwargs.get("dim", -1)
        output = self._output(t) if t.dim() == 2 else None
        if output is None or tuple(t.shape) != output.shape or output.net.class_dim != 1 or t.shape[0] < 2:
            return
        if dim % 2 == 0 and t.shape[1] > 1:
            self._seen(here(), dim, output.shape)

    def _stretched(self, result: Any, args: Any, kwargs: Any) -> None:
        """Answers [N, 1] compared with labels [N], or maps of them: each with every other."""
        if not isinstance(result, torch.Tensor) or result.dim() < 2 or len(args) < 2:
            return
        n, rest = result.shape[0], tuple(result.shape[2:])
        if n < 2 or result.shape[1] != n:
            return
        for one, other in ((args[0], args[1]), (args[1], args[0])):
            if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
                return
            if tuple(other.shape) != (n, *rest) or self.nets.outputs.match(other) is not None:
                continue
            newest = self.nets.outputs.newest[-1] if self.nets.outputs.newest else None
            of_net = newest is not None and newest.net.supervised
            column = newest is not None and tuple(one.shape) == (n, 1, *rest) == newest.shape
            if self._is_best(one) or self._taken_of_best(one) or (column and of_net):
                whole = one.dtype == torch.bool or bool((one == one.round()).all())
                if whole:
                    self._seen(here(), None, (n, 1, *rest), labels=(n, *rest))
                return

    def _kept(self, result: Any, args: Any, kwargs: Any) -> None:
        """The best class of each row, or place in it, by ``argmax(1, keepdim=True)`` or ``topk(1)``."""
        best = result if isinstance(result, torch.Tensor) else result[1]
        if best.dim() > 1 and 1 in best.shape[1:] and best.numel() > 1 and not best.is_floating_point():
            self._columns = [*self._columns[-3:], weakref.ref(best)]
            self._kept_at = here(), len(best)

    def _is_best(self, t: torch.Tensor) -> bool:
        """Whether a tensor is such a column, or a view of one."""
        columns = [b for b in (best() for best in self._columns) if b is not None]
        if any(b is t for b in columns):
            return True
        memory = t.untyped_storage().data_ptr()
        return not t.is_floating_point() and any(b.untyped_storage().data_ptr() == memory for b in columns)

    def _taken_of_best(self, t: torch.Tensor) -> bool:
        """Whether a tensor is some of the rows of such a column, taken on the line that made it."""
        site, rows = self._kept_at
        return not t.is_floating_point() and len(t) <= rows and site is not None and site == here()

    def _asked(self, t: torch.Tensor) -> None:
        """An answer in evaluation mode that left its graph by ``detach``, to be judged as an array."""
        for output in reversed(self.nets.outputs.newest):
            if not (output.let_go and output.grad and not output.training and output.net.supervised):
                continue
            if any(held.data_ptr() == t.data_ptr() for held in self.nets.outputs.held(output)):
                output.judged, output.let_go = True, False

    def _to_numpy(self, result: Any, args: Any, kwargs: Any) -> None:
        t = args[0]
        if t.is_floating_point() and t.dim() and t.device.type == "cpu":
            self._asked(t)
        if t.dim() == 2 and t.shape[1] == 1 < t.shape[0]:
            self._column(t)
        if t.dim() != 2 or not t.is_floating_point() or min(t.shape) < 2:
            return
        output = self._output(t)
        if output is None or tuple(t.shape) != output.shape or output.net.class_dim != 1:
            return
        output.judged = True
        if len(self._arrays) > 64:
            self._arrays.clear()
        self._arrays[result.__array_interface__["data"][0]] = (output.shape, 1)
        site = here()
        if site is not None:
            if site not in self._read:
                self._read[site] = wrong_axis(site)
            asked = self._read[site]
            if asked is not None:
                self._seen(asked[1], None if asked[0] < 0 else asked[0], output.shape)

    def _column(self, t: torch.Tensor) -> None:
        """Answers [N, 1] become an array: the source says whether a row of targets is taken from it."""
        site, output = here(), self._output(t)
        if site is None or site in self._read:
            return
        answers = output is not None and output.net.supervised and tuple(t.shape) == output.shape
        if self._is_best(t) or (answers and output is not None and not output.training):
            self._read[site] = None
            frame: FrameType | None = sys._getframe(3)
            while frame is not None and not is_own(frame.f_code.co_filename):
                frame = frame.f_back
            apart = apart_in_numpy(site, frame, t.shape[0])
            if apart is not None:
                self.nets.judging.stretched.note(apart, t.shape[0])

    def _joined(self, result: Any, args: Any, kwargs: Any) -> None:
        """Arrays of outputs, one below the other, are outputs too."""
        parts = args[0] if args else kwargs.get("arrays", kwargs.get("tup"))
        first = parts[0] if isinstance(parts, (list, tuple)) and parts else None
        if isinstance(first, np.ndarray) and first.ndim == 2 and result.shape[1:] == first.shape[1:]:
            known = self._arrays.get(first.__array_interface__["data"][0])
            if known is not None and known[0] == first.shape:
                self._arrays[result.__array_interface__["data"][0]] = (result.shape, known[1])

    def _argmax(self, result: Any, args: Any, kwargs: Any) -> None:
        a = args[0]
        axis = args[1] if len(args) > 1 else kwargs.get("axis")
        if not isinstance(a, np.ndarray) or a.ndim != 2:
            return
        known = self._arrays.get(a.__array_interface__["data"][0])
        if known is not None and known[0] == a.shape and (axis is None or axis % 2 == 0):
            self._seen(here(), axis, known[0])

    def _seen(
        self,
        site: Site | None,
        dim: int | None,
        shape: tuple[int, ...],
        labels: tuple[int, ...] | None = None,
    ) -> None:
        facts = self._axes.get(site)
        if facts is None:
            facts = self._axes[site] = AxisSeen(site, 0, dim, shape, 1, labels)
            self.seen.axes.append(facts)
        facts.calls += 1


def wrong_axis(site: Site) -> tuple[int, Site] | None:
    """``out.numpy().argmax(0)`` of the array that a line makes, wherever the file asks for it: the axis, -1
    for none given, and where; None where all is well.

    Methods of arrays can't be watched, so the source is read; an argmax that is given 1 or -1 is right.
    """
    module = tree(site.file)
    for call in called(module, "argmax") if module is not None else ():
        place = Site(site.file, call.lineno)
        wrong = _axis(call, place) if isinstance(call.func, ast.Attribute) else None
        if wrong is not None and _is_of(Value(place, call.func.value), site):  # type: ignore[attr-defined]
            return wrong
    return None


def _is_of(array: Value, site: Site) -> bool:
    """Whether an array is the one that ``numpy()`` makes on a line, handed on as it is."""
    for v in islice(traced(array), HANDS):
        if isinstance(v.node, ast.Call) and call_name(v.node) == "numpy":
            return not v.part and v.node.lineno <= site.line <= (v.node.end_lineno or 0)
        own = isinstance(v.node, ast.Call) and functions(site.file, call_name(v.node))
        turned = isinstance(v.node, ast.Attribute) and v.node.attr in ("T", "mT")
        if turned or not (own or isinstance(v.node, (ast.Name, ast.Tuple, ast.Attribute))):
            return False
    return False


def _axis(call: ast.Call, site: Site) -> tuple[int, Site] | None:
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "axis")]
    if not given:
        return -1, site
    return (0, site) if isinstance(given[0], ast.Constant) and given[0].value == 0 else None
