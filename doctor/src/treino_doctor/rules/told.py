"""The figures that a program works out of what it reads in one look: shares of right answers, and losses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from treino_doctor.record.log import Graph, Log, LossCall, Read
from treino_doctor.rules.graphs import calls_by_number

LEAST = 2  # different figures that have to be known again
COUNTS = frozenset(
    (
        *("to", "sum", "mean", "nanmean", "div", "mul", "add", "all", "count_nonzero", "view", "reshape"),
        *("flatten", "squeeze", "clone", "detach", "cat", "stack", "where", "getitem", "expand"),
    )
)
MIRRORED = frozenset(("sub", "ne", "neg", "logical_not", "bitwise_not", "invert"))


def known_again(figures: Iterable[float], told: set[float]) -> bool:
    """Whether several different figures are among those, as they are or in percent; more than if they were
    turned around, as the shares of wrong answers are.
    """
    known = {f"{unit * t:.6g}" for t in told for unit in (1, 100)} - {"0"}
    every = list(figures)
    found = {f"{f:.6g}" for f in every} & known
    turned = max(len({f"{whole - f:.6g}" for f in every} & known) for whole in (1, 100))
    return len(found) >= LEAST and len(found) > turned


def shares_of_right(log: Log) -> set[float]:
    """The shares and numbers of answers that equal their labels, of single reads and of whole looks."""
    calls = calls_by_number(log)
    lines = {(r.how, r.site) for r in log.of(Read) if counts_right(r.graph)}
    other = {(r.how, r.site) for r in log.of(Read) if r.graph.operations and not counts_right(r.graph)}
    looks: dict[Any, list[tuple[float, int]]] = defaultdict(list)
    for read in (r for r in log.of(Read) if (r.how, r.site) in lines - other and r.value == r.value):
        call = calls.get(max(read.forwards, default=0))
        looks[read.how, read.site, read.stack, read.turn].append((read.value, call.rows if call else 0))
    return {figure for look in looks.values() for figure in combined(look)}


def counts_right(graph: Graph) -> bool:
    """Whether a value is nothing but a count or a mean of answers that equal something given."""
    every = list(graph.walk(through=COUNTS))
    equal = [o for o in every if o.name == "eq"]
    compared = all(
        any(p.forwards for p in graph.parents(o)) and any(not p.forwards for p in graph.parents(o))
        for o in equal
    )
    plain = all(o.name in COUNTS or not o.forwards for o in every if o not in equal)
    return bool(equal) and compared and plain and not any(o.name in MIRRORED for o in every)


def losses_told(log: Log) -> set[float]:
    """The losses of single calls and of whole looks; none, where a loss is turned around to be raised."""
    looks: dict[Any, list[tuple[float, int]]] = defaultdict(list)
    for call in (c for c in log.of(LossCall) if c.forwards and c.value > 0):
        rows = call.input_shape[0] if call.input_shape else 0
        looks[call.site, call.stack, call.turn if not call.trained else -call.loss].append((call.value, rows))
    return {figure for look in looks.values() for figure in combined(look)}


def combined(look: list[tuple[float, int]]) -> Iterator[float]:
    """The values, their sum and mean, the sum by rows, and the mean weighed by rows."""
    whole, rows = sum(v for v, _n in look), sum(n for _v, n in look)
    yield from (v for v, _n in look)
    yield from (whole, whole / len(look))
    if rows:
        yield from (whole / rows, sum(v * n for v, n in look) / rows)
