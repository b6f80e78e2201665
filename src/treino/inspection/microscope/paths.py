"""All paths from a weight, or another quantity, to the loss; the derivative is the sum of their slopes.

A ``Net`` holds named quantities, each a formula of earlier ones, and lists its paths.

In a network, the number of paths from a weight is the product of the numbers of units of the layers above it.
Paths are counted and summed layer by layer; the largest are found by keeping the largest few for each unit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import prod

import numpy as np

from treino.base.formula import Array, Expr, Symbol, derivative, value
from treino.inspection.microscope.reference import slope as act_slope
from treino.inspection.microscope.update import Update

# ---- paths in a net of quantities


@dataclass(frozen=True)
class Net:
    """A computational graph. nodes: ``{symbol: its formula}``, each after the quantities in its formula. All
    paths end at the last node."""

    nodes: Mapping[Symbol, Expr]

    @property
    def end(self) -> Symbol:
        return list(self.nodes)[-1]

    def users(self, of: Symbol) -> list[Symbol]:
        """The nodes whose formulas contain this quantity."""
        return [node for node, made in self.nodes.items() if _holds(made, of)]

    def slope(self, of: Symbol, by: Symbol) -> Expr:
        """The local derivative ∂of/∂by."""
        return derivative(self.nodes[of], by)

    def paths(self, start: Symbol) -> Iterator[tuple[Symbol, ...]]:
        """Every path from ``start`` to the end, both included."""
        if start == self.end:
            yield (start,)
        for user in self.users(start):
            for rest in self.paths(user):
                yield (start, *rest)

    def along(self, path: Sequence[Symbol]) -> Expr:
        """The product of the local derivatives along a path, from its end to its start."""
        slopes = [self.slope(b, a) for a, b in pairwise(path)]
        return product(slopes[::-1])

    def value(self, changed: Symbol, by: float) -> float:
        """The value of the last node if the input ``changed`` is increased by ``by``."""
        numbers = {changed: changed.number + by}
        for node, made in self.nodes.items():
            numbers[node] = value(made, numbers)
        return numbers[self.end]


def product(factors: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: a * b, factors)


def named(name: str, made: Expr, sub: str = "") -> Symbol:
    """A symbol with the value of the formula ``made``."""
    return Symbol(name, value(made), sub)


def _holds(e: Expr, of: Symbol) -> bool:
    if isinstance(e, Symbol):
        return e == of
    return any(_holds(a, of) for a in getattr(e, "args", ()))


# ---- paths from a weight of a network to the loss of one row

SHOWN = 12


@dataclass(frozen=True)
class NetworkPath:
    """One path.

    units: the unit in each layer above the weight's layer, the output last. factors: the local slopes from
    the loss down to the weight (∂L/∂output, then W and act′ alternately, then the weight's input). Their
    product is the path's contribution to the row's derivative.
    """

    units: tuple[int, ...]
    factors: tuple[float, ...]

    @property
    def slope(self) -> float:
        return prod(self.factors)


@dataclass(frozen=True)
class Paths:
    """The paths of a row. count: the number of all paths. largest: the largest paths. rest: the sum of the
    slopes of all other paths."""

    count: int
    largest: tuple[NetworkPath, ...]
    rest: float


def local_slopes(update: Update) -> list[Array]:
    """``[B, H]`` for each layer: ∂h/∂z times dropout's factor; for the last layer ∂L/∂output."""
    slopes = []
    for layer, p in zip(update.layers, update.through, strict=True):
        slope = act_slope(layer.act)(p.z) if layer.act else np.ones_like(p.z)
        slopes.append(slope if p.mask is None else slope * p.mask)
    slopes[-1] = update.through[-1].d
    return slopes


def first_slope(update: Update) -> Array:
    """``[B]``: the weight's input, which is the last factor of every path; 1 for a bias."""
    p, j = update.through[update.place.layer], update.place.j
    return np.ones(len(p.z)) if j is None else p.a[:, j]


def totals(update: Update) -> Array:
    """``[B]``: the sum of the slopes of all paths of each row, computed layer by layer from the weight up."""
    place, slopes = update.place, local_slopes(update)
    reach = np.zeros_like(slopes[place.layer])
    reach[:, place.i] = first_slope(update)
    for layer, slope in zip(range(place.layer, len(slopes)), slopes[place.layer :], strict=True):
        if layer > place.layer:
            reach = reach @ update.layers[layer].W.T
        reach = reach * slope
    total_B: Array = reach.sum(1)
    return total_B


def net_paths(update: Update, row: int, most: int = SHOWN) -> Paths:
    """The paths of one row of the batch from the weight to the loss. most: the size of ``largest``."""
    place, last = update.place, len(update.layers) - 1
    slopes = [slope[row] for slope in local_slopes(update)]
    inside = float(first_slope(update)[row])
    size = np.full(
        (1, 1), abs(inside * slopes[place.layer][place.i])
    )  # [units, paths], the largest paths first
    backs: list[tuple[Array, Array]] = []  # for each unit and path: the unit below and the index of its path
    for at in range(place.layer + 1, last + 1):
        W = update.layers[at].W[:, [place.i]] if at == place.layer + 1 else update.layers[at].W
        every = np.abs(slopes[at][:, None, None] * W[:, :, None]) * size[None]  # [units, units below, paths]
        flat = every.reshape(len(every), -1)
        order = np.argsort(-flat, axis=1, kind="stable")[:, :most]
        backs.append(np.divmod(order, size.shape[1]))
        size = np.take_along_axis(flat, order, 1)
    ends = np.argsort(-size.reshape(-1), kind="stable")[:most]
    paths = [_traced(update, backs, divmod(int(end), size.shape[1]), slopes, inside) for end in ends]
    open_ways = [path for path in paths if path.slope] or paths[:1]
    count = prod(len(layer.W) for layer in update.layers[place.layer + 1 :])
    rest = float(totals(update)[row]) - sum(path.slope for path in open_ways)
    return Paths(count, tuple(open_ways), rest if count > len(paths) else 0.0)


def _traced(
    update: Update, backs: list[tuple[Array, Array]], end: tuple[int, int], slopes: list[Array], inside: float
) -> NetworkPath:
    """Trace a path from its end (the output's unit and the index of its path) back to the weight."""
    place = update.place
    unit, way = end if backs else (place.i, 0)
    units: list[int] = []
    factors: list[float] = [float(slopes[-1][unit])]
    for at in range(len(update.layers) - 1, place.layer, -1):
        units.append(unit)
        below, way_below = (int(t[unit, way]) for t in backs[at - place.layer - 1])
        unit, way = (place.i if at == place.layer + 1 else below), way_below
        factors += [float(update.layers[at].W[units[-1], unit]), float(slopes[at - 1][unit])]
    has_input = () if place.j is None else (inside,)
    return NetworkPath(tuple(reversed(units)), (*factors, *has_input))
