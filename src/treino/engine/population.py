"""A population: parameters, gradients, optimizer state and hyper-parameters of P networks, one row each."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

# ---- memory layout of a row

PAD = 16  # numbers: 16 floats are 64 bytes; the bits of products depend on alignment


def padded(count: int) -> int:
    return -(-count // PAD) * PAD


@dataclass(frozen=True)
class Layout:
    """The place of each named tensor of a member in its row of n numbers."""

    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    starts: tuple[int, ...]
    n: int

    @classmethod
    def of(cls, tensors: Iterable[tuple[str, torch.Tensor]]) -> "Layout":
        names, shapes, starts, at = [], [], [], 0
        for name, tensor in tensors:
            names.append(name)
            shapes.append(tensor.shape)
            starts.append(at)
            at += padded(tensor.numel())
        return cls(tuple(names), tuple(shapes), tuple(starts), at)

    @cached_property
    def count(self) -> int:
        """The number of parameters without padding."""
        return sum(shape.numel() for shape in self.shapes)

    def views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """Views ``[..., *shape]`` of all tensors in ``[..., n]``, without copying."""
        return [
            flat[..., start : start + shape.numel()].unflatten(-1, shape) if shape else flat[..., start]
            for start, shape in zip(self.starts, self.shapes, strict=True)
        ]

    def named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(zip(self.names, self.views(flat), strict=True))


# ---- a population

Index = Tensor | slice | list[int]
Copies = dict[str, NDArray[Any]]  # the keys are those of Population.tensors


@dataclass(eq=False)
class Population:
    """P members with equal layer shapes.

    params: ``[P, n]``. average: ``[P, n]`` running averages of params; ``[0, n]`` if no member keeps one.
    grads: ``[P, n]`` gradients of the last step; their sum over steps with the fault ``summed``.
    moments: the optimizer's state, each ``[P, n]``. buffers: ``[P, m]`` float64 (running means and the like).
    seed_P, schedule_P, order_P, bag_P: int64; the last three are indices into the plan's schedules and
    orders, and into the bags, sets of row weights. hp: hyper-parameters, each ``[P]`` float64 on the CPU.
    bound: objects that a kernel keeps between chunks (views, optimizers); not part of the state.
    """

    layout: Layout
    buffer_layout: Layout
    seed_P: Tensor
    schedule_P: Tensor
    order_P: Tensor
    bag_P: Tensor
    params: Tensor
    grads: Tensor
    moments: list[Tensor]
    buffers: Tensor
    hp: dict[str, Tensor]
    average: Tensor
    summed: bool = False
    bound: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seed_P)

    @property
    def answering(self) -> Tensor:
        """``[P, n]``: the parameters to evaluate and keep: the running averages, if there are any."""
        return self.average if len(self.average) else self.params

    def tensors(self) -> dict[str, Tensor]:
        """All tensors needed to continue training, by name."""
        moments = {f"moment.{i}": m for i, m in enumerate(self.moments)}
        grads = {"grads": self.grads} if self.summed else {}
        average = {"average": self.average} if len(self.average) else {}
        hp = {f"hp.{name}": value for name, value in self.hp.items()}
        return {
            "seeds": self.seed_P,
            "params": self.params,
            **grads,
            **moments,
            **average,
            "buffers": self.buffers,
            **hp,
        }

    def copies(self) -> Copies:
        """Copies of the tensors that each step changes. For small ones NumPy takes a third of clone's
        time."""
        if self.params.device.type != "cpu":
            return {name: t.detach().cpu().numpy().copy() for name, t in self._moving().items()}
        if "views" not in self.bound:
            self.bound["views"] = [(name, t.detach().numpy()) for name, t in self._moving().items()]
        return {name: view.copy() for name, view in self.bound["views"]}

    def _moving(self) -> dict[str, Tensor]:
        named = self.tensors()
        return {name: t for name, t in named.items() if name != "seeds" and not name.startswith("hp.")}

    def rows(self, index: Index) -> "Population":
        """A copy of these members that shares no memory."""

        def pick(t: Tensor) -> Tensor:
            return t[index.to(t.device) if isinstance(index, Tensor) else index].clone()

        names = ("seed_P", "schedule_P", "order_P", "bag_P", "params", "grads", "buffers")
        each: dict[str, Any] = {name: pick(getattr(self, name)) for name in names}
        return replace(
            self,
            **each,
            moments=[pick(m) for m in self.moments],
            hp={name: pick(value_P) for name, value_P in self.hp.items()},
            average=pick(self.average) if len(self.average) else self.average.clone(),
            bound={},
        )

    def put(self, index: Tensor, members: "Population") -> None:
        """Overwrite these rows, in order, by the members of another population."""
        for here, there in zip(self.tensors().values(), members.tensors().values(), strict=True):
            here.index_copy_(0, index.to(here.device), there)

    def fill(self, other: "Population", index: Tensor) -> None:
        """Copy these rows of ``other`` into this population, in place."""
        for here, there in zip(self.tensors().values(), other.tensors().values(), strict=True):
            torch.index_select(there, 0, index.to(there.device), out=here)
