"""Gates: a learned factor for each column of a table, shared by the column's inputs.

Gates follow the scaling layer of RealMLP (Holzmüller, Grinsztajn & Steinwart 2024,
https://arxiv.org/abs/2407.04491), but with one factor per column, not per input. They exist in training only:
the kept network has them multiplied into the first layer's weights.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

NO_TREES, NO_BINS = 1, 2  # how plain a member is: it sees no answers of trees, and no bins either
LAYER = "gates"  # the gate layer's name; the other layers keep their names


@dataclass(frozen=True)
class Gates:
    """The gates of a network. column_D: the index of each input's gate. rate: an update moves a gate this
    many times as far as a weight. level_G: for each gate, how plain the members are for which it is closed:
    NO_TREES, NO_BINS, or 0 if it is open for all."""

    column_D: tuple[int, ...]
    rate: float
    level_G: tuple[int, ...] = ()

    def __deepcopy__(self, memo: dict[int, object]) -> "Gates":
        return self  # nothing in it changes, and a copy for each member of thousands of columns takes long

    @property
    def count(self) -> int:
        return max(self.column_D) + 1

    def closed(self, plain: int) -> list[int]:
        """The gates that are closed in a member that is as plain as this."""
        return [gate for gate, level in enumerate(self.level_G) if 0 < level <= plain]

    def factors(self, weight: Tensor) -> Tensor:
        """The factor ``[..., D]`` of each input from the gates' weights ``[..., G]``."""
        return (self.rate * weight)[..., torch.tensor(self.column_D, device=weight.device)]


def gates_of(inputs: int, columns: Sequence[int], bins: Sequence[bool], rate: float) -> Gates:
    """The gates for ``inputs`` inputs: one for each column, and one more for its bins.

    columns: the column of each input; empty: each input is a column. bins: whether each input is a bin;
    empty: no bins. A column that has nothing beside bins is the answers of trees.
    """
    parts = list(zip(columns or range(inputs), bins or [False] * inputs, strict=True))
    numbers = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    levels = (is_bin and (NO_BINS if (column, False) in numbers else NO_TREES) for column, is_bin in numbers)
    return Gates(tuple(numbers[part] for part in parts), rate, tuple(map(int, levels)))


class GateLayer(nn.Module):
    """Multiplies each input ``[..., D]`` by ``rate`` times its gate's weight ``[G]``, which starts at 1 /
    rate. An optimizer that moves all numbers about equally far, such as Adam, thus moves a factor ``rate``
    times as far as a weight."""

    def __init__(self, gates: Gates) -> None:
        super().__init__()
        self.gates = gates
        self.weight = nn.Parameter(torch.full((gates.count,), 1 / gates.rate))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gates.factors(self.weight * (self.weight != 0))  # a gate of 0 stays closed


def with_gates(net: nn.Sequential, gates: Gates) -> nn.Sequential:
    """Put a gate layer in front of the network, whose layers keep their names."""
    return nn.Sequential(OrderedDict([(LAYER, GateLayer(gates)), *net.named_children()]))


def gates_apart(net: nn.Module) -> tuple[nn.Module, Tensor | None]:
    """Return the network without its gate layer, and the gates' factors ``[D]``; None without gates."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net, None
    return nn.Sequential(layers), layer.gates.factors(layer.weight).detach()


def without_gates(net: nn.Module) -> nn.Module:
    """An equivalent network without a gate layer: the gates are multiplied into the first layer's weights."""
    layers = OrderedDict(net.named_children())
    layer = layers.pop(LAYER, None)
    if not isinstance(layer, GateLayer):
        return net
    first = next(m for m in layers.values() if isinstance(m, nn.Linear))
    with torch.no_grad():
        first.weight.mul_(layer.gates.factors(layer.weight))
    return nn.Sequential(layers)
