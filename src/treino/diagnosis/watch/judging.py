"""What becomes of a net's output: a loss took it, or somebody made a figure or a choice of it."""

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch.distributions import constraints
from torch.nn.functional import huber_loss

from treino.diagnosis.reading.places import left_at_once
from treino.diagnosis.reading.scores import paired
from treino.diagnosis.record.hooks import UNSEEN
from treino.diagnosis.record.lines import here
from treino.diagnosis.record.tables import as_array
from treino.diagnosis.watch.answers import Answers
from treino.diagnosis.watch.beside import labels_beside
from treino.diagnosis.watch.class_axes import GATHERS, ClassAxes
from treino.diagnosis.watch.output import Output, class_axis
from treino.diagnosis.watch.outputs import Outputs
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.stretched import Stretched
from treino.diagnosis.watch.tables import hash_rows
from treino.diagnosis.watch.targets import TARGET

COMPARES = ("eq", "__eq__", "ne", "__ne__")
PRODUCTS = ("matmul", "__matmul__", "mm", "bmm", "einsum", "cdist", "cosine_similarity", "mul", "__mul__")
SCALES = ("div", "__truediv__")
CHOICES = ("argmax", "max", "topk", "round", "sort", "argsort")
JUDGES = (*CHOICES, "gt", "ge", "lt", "le", "__gt__", "__ge__", "__lt__", "__le__")


class Judging:
    """Wraps the handful of functions that turn outputs into figures, and is told of the losses.

    bad_listeners: called with an output whose bad rows spoilt a loss.
    taught_listeners: called with an output and its targets, where nets learn from a loss.
    """

    def __init__(self, seen: Seen, patches: Patches, outputs: Outputs) -> None:
        self.patches, self.outputs = patches, outputs
        self.bad_listeners: list[Callable[[Output], None]] = []
        self.taught_listeners: list[Callable[[Output, torch.Tensor], None]] = []
        # Called with what is judged and is no module's output.
        self.others: list[Callable[[torch.Tensor], None]] = []
        self.inner: tuple[int, bool] | None = None  # a loss of no net's output: (labels, learned by)
        self._axes = ClassAxes(seen)
        self.stretched = Stretched(seen)
        self.answers = Answers()

    def install(self) -> None:
        patches = self.patches
        for name in JUDGES:
            patches.after(torch.Tensor, name, self._judge(name), always=False)
        for name in CHOICES:
            patches.after(torch, name, self._judge(name), always=False)
        for name in COMPARES:
            patches.after(torch.Tensor, name, self._compared, always=False)
        patches.after(torch, "eq", self._compared, always=False)
        patches.after(torch, "multinomial", self._judge("multinomial"), always=False)
        for owner in (torch, torch.Tensor):
            for name in GATHERS:
                patches.after(owner, name, self._axes.gathered(name), always=False)
        for name in ("float", "long", "int", "bool", "double", "to", "type", "detach", "clone"):
            patches.after(torch.Tensor, name, self._cast, always=False)
        patches.after(torch, "where", self._cast, always=False)
        for owner in (torch, torch.Tensor):  # of log-probabilities
            patches.after(owner, "exp", self._cast, always=False)
        for name in ("cat", "concat", "concatenate", "vstack", "row_stack"):
            patches.after(torch, name, self._joined, always=False)
        patches.after(torch, "stack", self._stacked, always=False)
        for owner in (torch, torch.Tensor):
            for name in (*PRODUCTS, *SCALES):
                patches.after(owner, name, self._met, always=False)
        for name in ("cosine_similarity", "pairwise_distance"):
            patches.after(torch.nn.functional, name, self._met, always=False)
        patches.after(torch.nn.functional, "normalize", self._cast, always=False)
        for name in ("numpy", "tolist"):
            patches.after(torch.Tensor, name, self.taken, always=False)
        patches.after(torch.Tensor, "index_put_", self._counted, always=False)
        for name in ("__add__", "__radd__", "add"):
            patches.after(torch.Tensor, name, self._moved, always=False)
        for name in ("__sub__", "__rsub__", "sub"):
            patches.after(torch.Tensor, name, self._difference, always=False)
        patches.after(torch, "sub", self._difference, always=False)

    def lost(
        self, x: torch.Tensor, target: torch.Tensor, trained: bool, result: torch.Tensor
    ) -> np.ndarray | None:
        """A loss function took an input and a target; returns the classes that it says, where it has them."""
        output, said = self.outputs.match(x), None
        self._together(x)
        if output is None:
            self._other(x)
            self.inner = target.numel(), trained and not target.requires_grad
        if output is not None:
            if output.bad_rows and not bool(torch.isfinite(result.detach()).all()):
                for listener in self.bad_listeners:
                    listener(output)
            if output.hashes is not None and target.dim() == 1 and not target.is_floating_point():
                told = target.detach().numpy()
                output.mixed = output.mixed or (output.labels is not None and _reordered(told, output.labels))
                output.labels = told if not output.mixed else None
                if x.dim() == 2:
                    output.predicted = said = x.detach().argmax(1).numpy()
            self._aimed(output, target)
            one_each = target.is_floating_point() and target.numel() == output.rows
            if output.hashes is not None and one_each and result.numel() == 1:
                low, high = torch.aminmax(target.detach())
                output.goal = float(low), float(high), float(result.detach())
                output.aims = target.detach().reshape(-1).numpy()
            if not trained or not torch.is_grad_enabled():
                output.judged = True
            elif output.grad:
                output.judged = True  # for nothing, unless a backward comes
            often = output.net.class_dim is None or not output.net.calls_total & 7
            if often and x.dim() > 1 and not target.is_floating_point():
                output.net.class_dim = class_axis(x, output)
            elif often and output.net.calls_total <= 64 and x.shape == output.shape and _one_hot(target, x):
                output.net.class_dim = 1
            if trained and not target.requires_grad:
                output.net.supervised = True
                for taught in self.taught_listeners:
                    taught(output, target)
        goal = self.outputs.match(target) or self._taught(target)
        if goal is not None and goal is not output:
            goal.target = True
            goal.call.taught = goal.call.taught or not goal.grad
        return said

    def _aimed(self, output: Output, target: torch.Tensor) -> None:
        """Real numbers that each row of an evaluation is to become, far fewer than it has."""
        n = output.rows
        if (
            output.grad
            or output.hashes is None
            or output.labels is not None
            or not n
            or len(output.hashes) != n
        ):
            return
        few = target.is_floating_point() and target.dim() > 0 and len(target) == n
        if few and target.numel() // n <= output.flat_width // 4:
            goals = hash_rows(as_array(target).reshape(n, -1))
            output.goals = goals if len(np.unique(goals)) > n // 2 else None

    def _sure_rows(self, t: torch.Tensor, result: Any) -> None:
        """``confidence > 0.9``: the rows of which a net is sure enough to learn from its own answers."""
        for output in self.outputs.newest:
            if output.top is not None and output.top() is t and isinstance(result, torch.Tensor):
                output.sure = result

    def _taught(self, target: torch.Tensor) -> Output | None:
        """The output whose answers for the rows of which it is sure these targets are."""
        for output in self.outputs.newest:
            sure = output.sure
            if sure is None or sure.dtype != torch.bool:
                continue
            for t in self.outputs.held(output):
                fits = t.shape[: sure.dim()] == sure.shape and t.dtype == target.dtype
                if fits and torch.equal(t[sure], target):
                    return output
        return None

    def taken(self, result: Any, args: Any, kwargs: Any) -> None:
        """``numpy()`` of a net's answers, without a graph: some library will judge them."""
        t = args[0]
        if not self.outputs.newest:
            return
        if t.grad_fn is not None:
            output = self.outputs.match(t)
            if output is not None and left_at_once(here()):
                output.judged = True  # a figure, of which no graph was meant
            return
        best = self.outputs.match(t) if not t.is_floating_point() else None
        if best is not None and best.best_rows is not None and paired(here()):
            self._best_of_rows(t, best)
        if best is not None and best.labels is None and not best.grad and best.hashes is not None:
            labels = labels_beside(t) if t.shape == (len(best.hashes),) else None
            if labels is not None:
                best.judged = True
                best.predicted, best.labels = t.detach().long().numpy(), labels
        self._together(t)
        output = self.outputs.match(t) if t.is_floating_point() else None
        if output is not None and output.net.answers() and not output.grad:
            output.judged = True

    def _judge(self, name: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any) -> None:
            t = args[0]
            if not isinstance(t, torch.Tensor) or _validated():
                return
            output = self.outputs.match(t)
            found = result if isinstance(result, torch.Tensor) else result[1]
            best = name == "argmax" and bool(self.outputs.newest)
            if best and self.outputs.rows_of(t) == 0 and t.dim() == 2:
                self._axes.voted(t, args, kwargs)
            elif best and (output is None or tuple(t.shape) != output.shape):
                self._axes.made(t, args, kwargs, self.outputs.newest[-1])
            elif name == "argmax" and output is None:
                self._axes.plain(t, args, kwargs, found)
            if output is None:
                self._other(t)
                if not self.outputs.newest:
                    self.answers.said(found)
                self._sure_rows(t, result)
                self.outputs.derived(t, found)
                return
            output.judged = True
            if found is not result and not output.grad:
                output.top = weakref.ref(result[0])
            self.outputs.know(output, found)
            if name in ("argmax", "max"):
                self._axes.look(name, output, t, args, kwargs, result)

        return observe

    def _compared(self, result: Any, args: Any, kwargs: Any) -> None:
        """``argmax == labels``: what was said, and what is true."""
        if _validated():
            return
        if len(args) < 2 or not self.outputs.newest:
            if len(args) > 1:
                self.answers.compared(args)
                self._axes.plain_compared(result, *args[:2])
            return
        for one, other in ((args[0], args[1]), (args[1], args[0])):
            if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and one.shape == other.shape:
                output = self.outputs.match(one)
                self._best_of_rows(one, output)
                if output is not None:
                    output.judged = True
                    self._axes.compared(result, output)
                    if output.hashes is not None and one.dim() == 1 and len(output.hashes) == len(one):
                        output.predicted = one.detach().long().numpy()
                        output.labels = other.detach().long().numpy()
                    return
                self._together(one)
            elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and other.shape == (1,):
                self._best_of_rows(one, self.outputs.match(one))  # each class of a single row, and its label
            elif isinstance(one, torch.Tensor) and one.dim() == 2 and isinstance(other, torch.Tensor):
                whole = not one.is_floating_point() and other.shape == (len(one), 1)
                output = self.outputs.match(one) if whole else None
                if output is not None and self.outputs.match(other) is None:
                    self._axes.compared(result, output, column=True)  # the best few, and the label
            elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and one.dim() > 3:
                self._best_of_rows(one, self.outputs.match(one))  # of maps, kept as one of one row

    def _counted(self, result: Any, args: Any, kwargs: Any) -> None:
        """``table.index_put_((labels, said), 1, accumulate=True)``: what was said, beside what is true."""
        places = args[1] if len(args) > 1 else kwargs.get("indices")
        if self.outputs.newest and isinstance(places, (tuple, list)) and len(places) == 2:
            self._compared(result, tuple(places), {})

    def _other(self, t: Any) -> None:
        """What is judged, where no module is called."""
        if self.others and not self.outputs.newest and isinstance(t, torch.Tensor):
            for judged in self.others:
                judged(t)

    def _best_of_rows(self, said: torch.Tensor, output: Output | None) -> None:
        """Whether what is compared is a max over the rows."""
        best = output.best_rows if output is not None else None
        found = best[0]() if best is not None else None
        if best is not None and found is not None and any(found is t for t in (said, said._base)):
            self._axes.count(*best[1:])

    def _joined(self, result: Any, args: Any, kwargs: Any) -> None:
        """Outputs one below the other."""
        parts = args[0] if args else kwargs.get("tensors")
        if isinstance(parts, (list, tuple)) and self.outputs.newest and result.grad_fn is not None:
            self.outputs.collect(parts, result)
        elif isinstance(parts, (list, tuple)) and self.outputs.newest:
            self.outputs.join(parts, result)
            self.outputs.meet(parts, result)
            if result.dim() == 2 and result.shape[1] == 1 and isinstance(parts[-1], torch.Tensor):
                output = self.outputs.match(parts[-1])
                if output is not None and output.net.supervised and output.shape == (output.rows, 1):
                    self.stretched.columns = [*self.stretched.columns[-7:], weakref.ref(result)]

    def _met(self, result: Any, args: Any, kwargs: Any) -> None:
        """A product or a distance of what two nets say, one of them in evaluation mode: these are scores.
        ``logits / t`` still are these logits.
        """
        if not self.outputs.newest or not isinstance(result, torch.Tensor) or result.grad_fn is not None:
            return
        parts = args[1] if len(args) == 2 and isinstance(args[1], (list, tuple)) else args
        live = self.outputs.meet(parts, result)
        if live is not None:
            live.judged = True
        elif len(args) == 2 and _is_scale(*args):
            self.outputs.derived(args[0], result)

    def _moved(self, result: Any, args: Any, kwargs: Any) -> None:
        """``said * spread + mean``: the same answers in other units."""
        plain = self.outputs.newest and isinstance(result, torch.Tensor) and result.grad_fn is None
        if plain and len(args) == 2 and _is_scale(*args):
            self.outputs.derived(args[0], result)

    def _stacked(self, result: Any, args: Any, kwargs: Any) -> None:
        """What several nets say of the same rows."""
        parts = args[0] if args else kwargs.get("tensors")
        if isinstance(parts, (list, tuple)) and self.outputs.newest and result.grad_fn is None:
            self.outputs.gather(parts, result, args[1] if len(args) > 1 else kwargs.get("dim", 0))

    def _together(self, t: torch.Tensor) -> None:
        """What outputs were joined to is judged as one."""
        first = self.outputs.joined(t)
        if first is not None:
            first.judged = True

    def _cast(self, result: Any, args: Any, kwargs: Any) -> None:
        """The same answers, or the same comparison of them, as numbers of another kind."""
        if self.outputs.newest and result is not args[0] and isinstance(result, torch.Tensor):
            self._axes.cast(args[0], result)
            if result.grad_fn is None:
                self.outputs.derived(args[0], result)

    def _difference(self, result: Any, args: Any, kwargs: Any) -> None:
        for t in args[:2] if result.grad_fn is None else ():
            self._other(t)
        if result.grad_fn is not None and len(args) > 1:
            told = [t for t in args[:2] if isinstance(t, torch.Tensor) and not t.requires_grad]
            if len(told) == 1 and told[0].shape == result.shape:
                result.grad_fn.metadata[TARGET] = weakref.ref(told[0])
        if len(args) < 2 or not self.outputs.newest:
            return
        self._met(result, args, kwargs)
        for one, other in ((args[0], args[1]), (args[1], args[0])):
            if isinstance(one, torch.Tensor) and one.is_floating_point():
                output = self.outputs.match(one)
                across = isinstance(other, torch.Tensor) and one.dim() == 2 and other.dim() == 1
                if across and self.outputs.match(other) is None:
                    self.stretched.apart(one, other, result, output)
                if isinstance(other, torch.Tensor) and one.shape == other.shape and not other.requires_grad:
                    self._together(one)
                if output is not None:
                    if isinstance(other, torch.Tensor) and other.requires_grad:
                        output.target = output.target or not one.requires_grad
                    elif isinstance(other, torch.Tensor):
                        output.judged = True
                        self._aimed(output, other)
                        if one.requires_grad and other.shape == one.shape and torch.is_grad_enabled():
                            output.net.supervised = True  # by a loss by hand
                        if not output.grad and other.shape == one.shape and other.numel() == output.rows:
                            output.goal = _goal(other, result)


def _validated() -> bool:
    """Whether a distribution looks at what it was given, and nobody at an answer."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(UNSEEN):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename == constraints.__file__


def _reordered(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether labels are others' in another order, as of rows that are mixed with one another."""
    return (
        one.shape == other.shape and not (one == other).all() and bool((np.sort(one) == np.sort(other)).all())
    )


def _is_scale(x: Any, by: Any) -> bool:
    """Whether this is a number, or one for each row."""
    if not isinstance(by, torch.Tensor) or not isinstance(x, torch.Tensor):
        return isinstance(by, (int, float)) and isinstance(x, torch.Tensor)
    if by.numel() == 1 and by.dim() <= 1:
        return True
    return x.dim() == by.dim() and by.shape[-1:] == (1,) != x.shape[-1:]


def _one_hot(target: torch.Tensor, x: torch.Tensor) -> bool:
    """Whether each row of a table of targets is one of several classes."""
    if target.requires_grad or target.dim() != 2 or target.shape != x.shape or min(target.shape) < 2:
        return False
    ones = target == 1
    return bool((ones.sum(1) == 1).all()) and bool((ones | (target == 0)).all())


def _goal(target: torch.Tensor, apart: torch.Tensor) -> tuple[float, float, float]:
    """Least and largest target, and the Huber loss of the differences: no more than the squared or the
    absolute error, whichever the script goes on to compute.
    """
    low, high = torch.aminmax(target.detach())
    return float(low), float(high), float(huber_loss(apart.detach(), torch.zeros_like(apart)))
