"""All paths from a weight of a network to the loss; the derivative is the sum of their slopes.

The number of paths from a weight is the product of the numbers of units of the layers above it. Paths are
counted and summed layer by layer; the largest are found by keeping the largest few for each unit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from treino.base.formula import Array, Expr, Symbol, series
from treino.base.words import _, numeral
from treino_microscope.explanation import (
    Check,
    Edge,
    ExplanationPart,
    Graph,
    Step,
    StepTable,
    Worked,
    equation,
    relative,
)
from treino_microscope.reference import slope as act_slope
from treino_microscope.run_explanation import input_of, to_the_gradient
from treino_microscope.update import Update

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


# ---- the explanation of a run


def along_paths(update: Update) -> Worked:
    """Explain the paths of the row with the largest contribution to the gradient, then the sum over rows."""
    row, batch = update.row, update.batch
    paths, sums = net_paths(update, row), totals(update).tolist()

    def share(sub: str, k: int) -> Expr:
        return Symbol("s", sums[k], sub)

    whole = equation("∂L/∂w", series("r", "B", len(sums), share))
    part = ExplanationPart(
        _("Every way from the weight to the loss, row {row}").format(row=int(batch.rows[row])),
        (
            *_lines(update, paths),
            _sum_of_ways(paths),
            Step(_("And the same for every row of the batch, added up"), whole),
        ),
    )
    parts, given = to_the_gradient(update)
    checks = list(given)
    theirs = next(c for c in checks if "autograd" in c.name)
    within = relative(whole.value, *(abs(s) * len(sums) for s in sums))
    by_hand = _("∂L/∂w: all ways of all rows, against δ · input")
    by_torch = _("∂L/∂w: all ways of all rows, against torch.autograd")
    checks += [
        Check(by_hand, whole.value, update.gradient, within),
        Check(by_torch, whole.value, theirs.reference, within + theirs.within),
    ]
    return (*parts, part, _sizes(update)), checks


def product(factors: Sequence[Expr]) -> Expr:
    return reduce(lambda a, b: a * b, factors)


def _lines(update: Update, paths: Paths) -> Iterator[Step]:
    text = _(
        "{n:,} ways in all; these are the largest. A unit that ReLU holds at 0 closes every way through it."
    ).format(n=paths.count)
    yield Step(_("How many there are"), text=text, picture=_graph(update, paths))
    for number, path in enumerate(paths.largest, 1):
        units = [
            _("unit {unit} of layer {layer}").format(unit=unit, layer=layer)
            for layer, unit in enumerate((update.place.i, *path.units), update.place.layer)
        ]
        title = _("Way {n}: {units}, loss").format(n=number, units=", ".join(units))
        yield Step(title, equation("p", _product(update, path), str(number)))


def _product(update: Update, path: NetworkPath) -> Expr:
    """The product along a path: ∂L/∂z of the output, then W and act′ alternately, then the weight's input."""
    place, last = update.place, len(update.layers) - 1
    units = (place.i, *path.units)
    symbols: list[Expr] = [Symbol("∂L/∂z", path.factors[0], str(units[-1]), f"({last})")]
    for k, factor in enumerate(path.factors[1 : 1 + 2 * len(path.units)]):
        at = last - k // 2
        above, below = units[at - place.layer], units[at - place.layer - 1]
        weight = Symbol("W", factor, f"{above},{below}", f"({at})")
        symbols.append(Symbol("act′", factor, str(below), f"({at - 1})") if k % 2 else weight)
    if place.j is not None:
        symbols.append(input_of(place.layer, str(place.j), path.factors[-1]))
    return product(symbols)


def _sum_of_ways(paths: Paths) -> Step:
    terms: list[Expr] = [Symbol("p", path.slope, str(n)) for n, path in enumerate(paths.largest, 1)]
    if paths.count > len(terms):
        terms.append(Symbol("p", paths.rest, _("others")))
    total = reduce(lambda a, b: a + b, terms)
    return Step(_("All {n:,} ways of this row").format(n=paths.count), equation("s", total, "r"))


def _graph(update: Update, paths: Paths) -> Graph:
    place, last = update.place, len(update.layers) - 1
    own, inside = f"{place.layer}:{place.i}", float(first_slope(update)[update.row])
    columns: list[dict[str, None]] = [{} for _layer in range(place.layer, last)]
    edges = {("w", own): Edge("w", own, short(inside), inside)}
    for path in paths.largest:
        before = own
        for at, (unit, column) in enumerate(zip(path.units, columns, strict=True), place.layer + 1):
            node = f"{at}:{unit}"
            column[node] = None
            edges.setdefault((before, node), Edge(before, node, "", path.slope))
            before = node
        edges.setdefault((before, "L"), Edge(before, "L", short(path.factors[0]), path.factors[0]))
    shown = (("w",), (own,), *map(tuple, columns), ("L",))
    return Graph(_("The largest ways"), shown, tuple(edges.values()))


def short(number: float) -> str:
    return numeral(number, ".4g").replace("-", "−")


def _sizes(update: Update) -> ExplanationPart:
    rows = tuple((name, g.size, float((g**2).sum() ** 0.5)) for name, g in update.gradients.items())
    text = _("Every layer has parameters of its own, and each has a gradient.")
    table = StepTable((_("parameter"), _("numbers"), _("length of its gradient")), rows)
    step = Step(_("Of this network, in this update"), text=text, table=table)
    return ExplanationPart(_("Every layer has parameters"), (step,))
