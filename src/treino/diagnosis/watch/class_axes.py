"""Along which axis an output's best entry is taken: that of the classes, or another one."""

import weakref
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.output import Output
from treino.diagnosis.watch.seen import AxisSeen, Seen
from treino.diagnosis.watch.where import here

GATHERS = ("all", "any", "prod", "min", "amin")


class ClassAxes:
    """What ``argmax`` and ``max`` of outputs were asked for."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._at: dict[Site | None, AxisSeen] = {}
        self._agree: tuple[weakref.ref[torch.Tensor], Output] | None = None  # the newest comparison

    def look(self, name: str, output: Output, t: torch.Tensor, args: Any, kwargs: Any, result: Any) -> None:
        """An argmax along another axis than that of the classes; the first axis is that of the rows."""
        class_dim = output.net.class_dim
        if t.dim() == 2 and t.shape[1] == 1:
            class_dim = 1
        if class_dim is None or t.dim() != len(output.shape) or t.dim() < 2 or t.shape[0] < 2:
            return
        dim = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
        found = result if isinstance(result, torch.Tensor) else result[1]
        deep = t.dim() > 2 and tuple(t.shape) == output.shape  # known by what it is compared with
        if isinstance(dim, int) and (name == "max" or deep):
            wrong = dim % t.dim() != class_dim if deep else dim % t.dim() == 0 and class_dim != 0
            if wrong and found is not t and found.dim():
                output.best_rows = (weakref.ref(found), dim, tuple(t.shape), class_dim)
        if name == "max" or deep:
            return
        single = dim is not None and t.shape[dim] == 1 and t.shape[0] > 1 and dim % t.dim() != 0
        if single and t.dim() == 2 and name == "argmax":
            self.count(dim, tuple(t.shape), 1)
            return
        if dim is not None and (dim % t.dim() != 0 or class_dim == 0):
            return
        if tuple(t.shape) != output.shape or t.shape[class_dim] < 2:
            return
        self.count(dim, tuple(t.shape), class_dim)

    def compared(self, result: Any, output: Output) -> None:
        """Several answers for each row were compared with as many labels."""
        if tuple(result.shape) == output.shape and output.net.supervised and output.rows_first():
            self._agree = weakref.ref(result), output

    def cast(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """The newest comparison as numbers."""
        if self._agree is not None and self._agree[0]() is before:
            self._agree = weakref.ref(after), self._agree[1]

    def gathered(self, name: str) -> Any:
        """``(said == labels).all(0)``: whether all rows are right, not all answers of a row."""

        def observe(result: Any, args: Any, kwargs: Any) -> None:
            if self._agree is None or self._agree[0]() is not args[0]:
                return
            dim = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
            if isinstance(dim, int) and dim % 2 == 0:
                self.count(dim, self._agree[1].shape, 1, name)

        return observe

    def count(
        self, dim: int | None, shape: tuple[int, ...], class_dim: int, function: str = "argmax"
    ) -> None:
        site = here()
        axis = self._at.get(site)
        if axis is None:
            axis = self._at[site] = AxisSeen(site, 0, dim, shape, class_dim, function=function)
            self._seen.axes.append(axis)
        axis.calls += 1
