"""Gates: one learned factor for all inputs that are made of one column of a table.

As the scaling layer of RealMLP (Holzmüller, Grinsztajn & Steinwart 2024, https://arxiv.org/abs/2407.04491),
with a factor for a column instead of an input. A way of training, not of answering: gates are multiplied
into the first layer's weights of the network that is kept.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LAYER = "gates"  # its name in front of a network's layers, whose own names are their places without it


@dataclass(frozen=True)
class Gates:
    """column_D: the number of each input's gate, from 0 on. rate: how many times as far as a weight an update
    moves a gate. bin_G: which gates are of the bins of a column."""

    column_D: tuple[int, ...]
    rate: float
    bin_G: tuple[bool, ...] = ()

    @property
    def count(self) -> int:
        return max(self.column_D) + 1

    def factors(self, weight: Tensor) -> Tensor:
        """``[..., G]`` a gate's weights -> ``[..., D]`` what each input is multiplied by."""
        return (self.rate * weight)[..., torch.tensor(self.column_D, device=weight.device)]


def gates_of(inputs: int, columns: Sequence[int], bins: Sequence[bool], rate: float) -> Gates:
    """Those of so many inputs: of each column one, and one more for its bins.

    columns: the column of each input; none: each input is one. bins: which inputs are bins; none: no input.
    """
    parts = list(zip(columns or range(inputs), bins or [False] * inputs, strict=True))
    numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    return Gates(tuple(numbers[part] for part in parts), rate, tuple(is_bin for _column, is_bin in numbers))


class GateLayer(nn.Module):
    """Multiplies each input ``[..., D]`` by ``rate`` times its column's weight ``[G]``, which begins at
    1 / rate: an optimizer that moves every number about equally far, as Adam does, then moves a factor
    ``rate`` times as far as a weight."""

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
    """-> the network behind its gates, and the factors ``[D]`` by which these multiply its inputs; None: it
    has no gates."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net, None
    return nn.Sequential(layers), layer.gates.factors(layer.weight).detach()


def without_gates(net: nn.Module) -> nn.Module:
    """The same function as a plain network: gates multiplied into the first layer's weights."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net
    first = next(m for m in layers.values() if isinstance(m, nn.Linear))
    with torch.no_grad():
        first.weight.mul_(layer.gates.factors(layer.weight))
    return nn.Sequential(layers)
