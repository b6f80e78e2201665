"""Along which axis an output's best entry is taken: that of the classes, or another one."""

import weakref
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.scores import scored
from treino.diagnosis.reading.source import loss_line
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.output import Output
from treino.diagnosis.watch.seen import AxisSeen, Seen

CLASSES = ("cross_entropy", "nll_loss")
GATHERS = ("all", "any", "prod", "min", "amin")


class ClassAxes:
    """What ``argmax`` and ``max`` of outputs were asked for."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._at: dict[Site | None, AxisSeen] = {}
        self._agree: list[weakref.ref[torch.Tensor]] = []  # the newest comparison, and as numbers
        self._agreed: tuple[int, ...] = ()  # its shape
        self._deep = False  # it is of sequences
        self._plain: Any = None  # of no net's output: (indices, dim, shape, line)
        self._made: dict[Site, bool] = {}  # whether classes are known to be on the last axis of what is there

    def look(self, name: str, output: Output, t: torch.Tensor, args: Any, kwargs: Any, result: Any) -> None:
        """An argmax along another axis than that of the classes; the first axis is that of the rows."""
        class_dim = output.net.class_dim
        if t.dim() == 2 and t.shape[1] == 1:
            class_dim = 1
        dim = _dim(args, kwargs)
        if t.dim() == len(output.shape) > 3 and isinstance(dim, int):
            output.net.best_dims.add(dim % t.dim())
        own = output.shape
        soft = (
            output.net.soft_classes() and t.shape[1:] == own[1:] and 1 < len(own) < 4 and len(t) != own[1] > 1
        )
        class_dim = 1 if soft else class_dim
        if class_dim is None or t.dim() != len(output.shape) or t.dim() < 2:
            return
        one_map = t.dim() > 3 and t.shape[0] == 1 < t.shape[class_dim] and tuple(t.shape) == output.shape
        if one_map and name == "argmax" and isinstance(dim, int) and dim % t.dim() == 0 != class_dim:
            self.count(dim, tuple(t.shape), class_dim)  # of one row: always its number, 0
            return
        if t.shape[0] < 2 and (dim is None or t.dim() > 2):  # the best of a single row is over everything
            return
        found = result if isinstance(result, torch.Tensor) else result[1]
        deep = t.dim() > 2 and tuple(t.shape) == output.shape  # known by what it is compared with
        single = isinstance(dim, int) and t.shape[dim] == 1 and t.shape[0] > 1 and dim % t.dim() != 0
        if isinstance(dim, int) and (name == "max" or deep or soft):
            wrong = dim % t.dim() != class_dim if deep else dim % t.dim() == 0 and class_dim != 0
            wrong = wrong or (single and t.dim() == 2)
            if wrong and found is not t and found.dim():
                output.best_rows = (weakref.ref(found), dim, tuple(t.shape), class_dim, "argmax", here())
        if name == "max" or deep or soft:
            return
        if single and t.dim() == 2 and name == "argmax":
            self.count(dim, tuple(t.shape), 1)
            return
        if dim is not None and (dim % t.dim() != 0 or class_dim == 0):
            return
        if tuple(t.shape) != output.shape or t.shape[class_dim] < 2:
            return
        self.count(dim, tuple(t.shape), class_dim)

    def compared(self, result: Any, output: Output, column: bool = False) -> None:
        """Several answers for each row were compared with as many labels, or with the row's one label."""
        shape, net = tuple(result.shape), output.net
        if not net.supervised or len(shape) != 2:
            return
        own = output.rows_first() and (shape == output.shape or (column and shape[0] == output.rows))
        deep = len(output.shape) == 3 and net.class_dim is not None and net.rows_vary(output.given)
        classes = net.class_dim or 0
        if own or (deep and shape == output.shape[:classes] + output.shape[classes + 1 :]):
            self._agree, self._agreed, self._deep = [weakref.ref(result)], shape, deep

    def cast(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """The newest comparison as numbers."""
        if 0 < len(self._agree) < 4 and any(known() is before for known in self._agree):
            self._agree.append(weakref.ref(after))

    def gathered(self, name: str) -> Any:
        """``(said == labels).all(0)``: whether all rows are right, not all answers of a row."""

        def observe(result: Any, args: Any, kwargs: Any) -> None:
            if not any(known() is args[0] for known in self._agree):
                return
            dim = _dim(args, kwargs)
            if isinstance(dim, int) and dim % 2 == 0 and not (self._deep and name == "any"):
                self.count(dim, self._agreed, 1, name)

        return observe

    def plain(self, t: torch.Tensor, args: Any, kwargs: Any, found: Any) -> None:
        """The best entries over the rows of what is as wide as a loss has classes, where no module is called,
        as for nets made of plain tensors: their comparison with labels says that these are answers.
        """
        dim = _dim(args, kwargs)
        before, self._plain = self._plain, None
        if t.dim() != 2 or len(t) < 2 or not t.is_floating_point() or dim not in (None, 0, -2):
            return
        shape = tuple(t.shape)
        # Labels that stand as rows of 0 and 1 may be asked for along the same wrong axis, just after.
        if before is not None and before[1:3] == (dim, shape) and before[0]() is not None:
            self._plain = (*before[:5], weakref.ref(found), before[6] or _one_hot(t))
            return
        losses = (f for (name, _), f in self._seen.losses.items() if name in CLASSES and f.trained)
        picks = (b.picks for b in self._seen.backwards.values() if b.picks is not None)
        known = any(f.classes == t.shape[1] > 1 for f in (*losses, *picks))
        self._plain = weakref.ref(found), dim, shape, here(), known, None, _one_hot(t)
        if known:
            self.made(t, args, kwargs, None)

    def plain_compared(self, result: Any, one: Any, other: Any) -> None:
        """``said == labels``, with one label for each row, or with the best of rows of 0 and 1, or with
        the several labels of each row, as a loss has them.
        """
        if isinstance(result, torch.Tensor) and result.dim() == 2 and 1 < result.shape[1] < len(result):
            losses = (
                f
                for (name, _), f in self._seen.losses.items()
                if name.startswith("binary_cross") and f.trained
            )
            if any(f.targets.outputs == result.shape[1] for f in losses):
                self._agree, self._agreed, self._deep = [weakref.ref(result)], tuple(result.shape), False
        if self._plain is None or not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
            return
        found, dim, shape, site, known, twin, hot = self._plain
        for said, labels in ((one, other), (other, one)):
            told = known and labels.shape == shape[:1]
            told = told or (dim is not None and hot and twin is not None and twin() is labels)
            if found() is said and told and not labels.is_floating_point():
                self._plain = None
                if not self._made.get(site):  # else it is counted
                    self.count(dim, shape, 1, site=site)
                return

    def made(self, t: torch.Tensor, args: Any, kwargs: Any, newest: Output | None) -> None:
        """The best entries along the rows of scores that were made of outputs, as those are that train."""
        dim = _dim(args, kwargs)
        if t.dim() != 2 or min(t.shape) < 2 or not t.is_floating_point():
            return
        if newest is not None and not self._seen.steps:
            return
        site = here()
        if site is None or not (dim is None or (isinstance(dim, int) and dim % 2 == 0)):
            return
        if site not in self._made:
            trained = [s for (n, s), f in self._seen.losses.items() if f.trained and n in CLASSES]
            trained += [
                loss_line(s, follow=False) for s, b in self._seen.backwards.items() if b.picks is not None
            ]
            known = newest is not None and newest.net.class_dim == 1 and tuple(t.shape) == newest.shape
            if newest is not None and newest.net.class_dim is None:  # trained by soft labels
                wide = {f.classes for (n, _), f in self._seen.losses.items() if f.trained and n in CLASSES}
                known = bool(wide) and wide <= {0, t.shape[1]} and t.shape[1:] == newest.shape[1:]
            self._made[site] = scored(site, trained, newest.call.site if known and newest else None)
        if self._made[site]:
            self.count(dim, tuple(t.shape), 1)

    def voted(self, t: torch.Tensor, args: Any, kwargs: Any) -> None:
        """The best entries of the mean [rows, classes] of several answers."""
        dim = _dim(args, kwargs)
        if dim in (None, 0, -2):
            self.count(dim, tuple(t.shape), 1)

    def count(
        self,
        dim: int | None,
        shape: tuple[int, ...],
        class_dim: int,
        function: str = "argmax",
        site: Site | None = None,
    ) -> None:
        site = site or here()
        axis = self._at.get(site)
        if axis is None:
            axis = self._at[site] = AxisSeen(site, 0, dim, shape, class_dim, function=function)
            self._seen.axes.append(axis)
        axis.calls += 1


def _one_hot(t: torch.Tensor) -> bool:
    """Whether each row is a single 1 among zeros, and there are more rows than columns."""
    rows = t.detach()
    if not 1 < rows.shape[1] < len(rows) or float(rows.sum()) != len(rows):
        return False
    return bool(((rows == 0) | (rows == 1)).all()) and bool((rows.sum(1) == 1).all())


def _dim(args: Any, kwargs: Any) -> Any:
    """The axis that a function of a tensor was given, if it was."""
    return args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
