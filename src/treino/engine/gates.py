"""Gates: a learned factor for each column of a table, shared by the column's inputs.

They follow the scaling layer of RealMLP (Holzmüller, Grinsztajn & Steinwart 2024,
https://arxiv.org/abs/2407.04491), with a factor for a column instead of an input. Gates exist during training
only: in the kept network they are multiplied into the first layer's weights.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LAYER = "gates"  # its name in front of a network's layers, which keep their own names


@dataclass(frozen=True)
class Gates:
    """The gates of a network. column_D: the number of each input's gate, from 0. rate: an update moves a gate
    so many times as far as a weight. bin_G: which gates are for the bins of a column."""

    column_D: tuple[int, ...]
    rate: float
    bin_G: tuple[bool, ...] = ()

    @property
    def count(self) -> int:
        return max(self.column_D) + 1

    def factors(self, weight: Tensor) -> Tensor:
        """The factor ``[..., D]`` of each input from the gates' weights ``[..., G]``."""
        return (self.rate * weight)[..., torch.tensor(self.column_D, device=weight.device)]


def gates_of(inputs: int, columns: Sequence[int], bins: Sequence[bool], rate: float) -> Gates:
    """The gates for ``inputs`` inputs: one for each column, and one more for its bins.

    columns: the column of each input; empty: each input is one. bins: whether each input is a bin; empty:
    none is.
    """
    parts = list(zip(columns or range(inputs), bins or [False] * inputs, strict=True))
    numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    return Gates(tuple(numbers[part] for part in parts), rate, tuple(is_bin for _column, is_bin in numbers))


class GateLayer(nn.Module):
    """Multiplies each input ``[..., D]`` by ``rate`` times its column's weight ``[G]``, which starts at 1 /
    rate. An optimizer that moves all numbers about equally far, as Adam does, then moves a factor ``rate``
    times as far as a weight."""

    def __init__(self, gates: Gates) -> None:
        super().__init__()
        self.gates = gates
        self.weight = nn.Parameter(torch.full((gates.count,), 1 / gates.rate))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gates.factors(self.weight * (self.weight != 0))  # a gate of 0 stays closed


def with_gates(net: nn.Sequential, gates: Gates) -> nn.Sequential:
    """The network behind a layer of gates; its layers keep their names."""
    return nn.Sequential(OrderedDict([(LAYER, GateLayer(gates)), *net.named_children()]))


def gates_apart(net: nn.Module) -> tuple[nn.Module, Tensor | None]:
    """The network behind its gates, and the factors ``[D]`` of its inputs; None: it has no gates."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net, None
    return nn.Sequential(layers), layer.gates.factors(layer.weight).detach()


def without_gates(net: nn.Module) -> nn.Module:
    """An equal network without gates, multiplied into the first layer's weights."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net
    first = next(m for m in layers.values() if isinstance(m, nn.Linear))
    with torch.no_grad():
        first.weight.mul_(layer.gates.factors(layer.weight))
    return nn.Sequential(layers)
