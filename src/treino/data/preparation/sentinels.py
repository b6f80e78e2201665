"""Find values that may stand for no value: repeated numbers or dates far outside all others, such as -999;
and single ones that are as far as mistakes are.

A value is named only if it is repeated, is the smallest or the largest of its column (with others like it),
and is far from the rest for a value of its sort: programs and people write some numbers (-999, 99, 1e20) for
nothing; 0 and -1 often mean themselves.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from treino.base.text import shortened
from treino.base.words import _, joined, setting
from treino.data.preparation.column_kinds import ColumnRole
from treino.data.summaries import measures
from treino.data.table import Column, DataWarning, Table, plain
from treino.settings.setting_types import as_items

Values = NDArray[np.float64]

_ANOTHER_WORLD = 10.0  # interquartile ranges: a value this far away is probably an error, not a tail
_YEAR = 366 * 86400.0  # seconds
_LEAST = 10  # values that the others must have
_MOST = 3  # values of one column on each side that may stand for no value
_SEARCHED = 100_000  # rows
_NEVER_ZERO = re.compile(
    r"gluc|glic|pressure|press[aã]o|(^|[^a-z])(bp|bmi|imc)|bmi$|skin|insulin|height|altura|weight|(^|_)peso|"
    r"heart|pulse|pulso|chol|h[ae]?emoglob|creatin|sodium|potassium|platelet|plaqueta|spo2|(^|_)(yr|year|ano)(_|$)",
    re.IGNORECASE,
)  # measures of a living body, and years
_NINES = re.compile(r"-?(9+|9+\.9+|8+|7+)")
_DAYS = "0001-01-01 1111-11-11 1753-01-01 1899-12-30 1900-01-01 1901-01-01 1970-01-01 2099-12-31 9999-12-31"
_DAYS_OF_NOTHING = {float(np.datetime64(day, "s").astype(np.int64)) for day in _DAYS.split()}
_LIMITS = {sign * 2.0**bits - shift for bits in (15, 31, 63) for sign, shift in ((1, 1), (-1, 0), (1, 0))}


@dataclass(frozen=True)
class Sentinel:
    """A value of a column that may stand for no value. text: as the file has it. rows: how many cells hold
    it; row: the first of them. low, high: the range of all other values, as text."""

    column: str
    text: str
    rows: int
    row: int
    low: str
    high: str


def sentinels(column: Column) -> list[Sentinel]:
    """The values of a column that may stand for no value; of many rows, a sample is searched."""
    values = column.values
    if values is None or column.boolean or column.clock or values.dtype == np.uint8:
        return []
    found_K = _search(values[:: max(1, -(-len(values) // _SEARCHED))].astype(np.float64), column)
    if not len(found_K):
        return []
    other_N = np.where(np.isfinite(values) & ~np.isin(values, found_K), values, np.nan)
    low, high = int(np.nanargmin(other_N)), int(np.nanargmax(other_N))
    if any(values[low] <= value <= values[high] for value in found_K):
        return []
    rows_of = [np.flatnonzero(values == value) for value in found_K]
    firsts = [(int(rows[0]), len(rows)) for rows in rows_of]
    bounds = column.cell(low), column.cell(high)
    return [Sentinel(column.name, column.cell(row), n, row, *bounds) for row, n in firsts]


def _search(value_N: Values, column: Column) -> Values:
    """The most values at both ends, each repeated and far from the rest, for a value of its sort."""
    finite_K = value_N[np.isfinite(value_N)]
    if len(finite_K) <= _LEAST or all(
        (finite_K == end).sum() < 2 for end in (finite_K.min(), finite_K.max())
    ):
        return np.empty(0)
    finite_K.sort()
    distinct_V, count_V = np.unique(finite_K, return_counts=True)
    sides, best = range(_MOST + 1), list[int]()
    for low, high in product(sides, sides):
        last = len(distinct_V) - high
        if low + high <= len(best) or last - low < 2:
            continue
        ends = [*range(low), *range(last, len(distinct_V))]
        rest_K = finite_K[count_V[:low].sum() : len(finite_K) - count_V[last:].sum()]
        if len(rest_K) < _LEAST or count_V[ends].min() < 2:
            continue
        rest = _Rest(rest_K, last - low, column)
        if all(rest.lacks(float(distinct_V[end]), int(count_V[end])) for end in ends):
            best = ends
    return distinct_V[best]


class _Rest:
    """All values of a column but those that may stand for nothing. kinds: how many differ."""

    def __init__(self, value_K: Values, kinds: int, column: Column) -> None:
        self.low, self.high = float(value_K[0]), float(value_K[-1])
        lower, self.middle, upper = np.percentile(value_K, [25, 50, 75])
        self.width = float(upper - lower)
        self.kinds, self.dated = kinds, column.numbers is None
        self.never_zero = _NEVER_ZERO.search(column.name) is not None

    def lacks(self, value: float, times: int) -> bool:
        """Whether a value that so many rows hold is far from these, for a value of its sort."""
        gap, span = max(self.low - value, value - self.high), self.high - self.low
        usual = _usual(value, self.dated)
        if usual and gap >= max(3 * self.width, 0.5 * span):
            codes = (
                self.kinds < 10 and not self.dated
            )  # 99 may be a code beside 10, 20 and 30; not beside 1 to 5
            return not codes or abs(value) >= 10 * max(abs(self.low), abs(self.high))
        if self.dated or (value > 0 and not usual) or value < -1:
            return times >= 5 and self.kinds >= 20 and gap >= max(10 * self.width, 2 * span)
        if times < 3 or self.kinds < 10 or self.low <= 0:
            return False
        if value == 0:  # an amount, a count or a mark of 0 means itself, and so does a logarithm of 1
            far = gap >= self.width and self.middle >= 3.5 * self.width / 1.349
            return far and self.never_zero
        return value == -1 and (gap >= max(self.width, 5) or self.low >= 10)


def _usual(value: float, dated: bool) -> bool:
    """Whether this number or date is often written for nothing: 99, -999, 999.9, 1e20, 1900-01-01."""
    if dated:
        return value - value % 86400 in _DAYS_OF_NOTHING
    nines = _NINES.fullmatch(plain(value)) is not None and (value > 90 or value < 0)
    return nines or abs(value) >= 1e15 or value in _LIMITS


def say_sentinels(table: Table, names: Iterable[str], target: bool = False) -> Iterator[DataWarning]:
    """Yield a warning for each value that may stand for no value, over all columns of these names that hold
    it. target: whether they are targets. None in tables of pixels."""
    if table.keep_constant or table.matrix is not None:
        return
    of_value: dict[str, list[Sentinel]] = {}
    for name in names:
        for each in sentinels(table.column(name)):
            of_value.setdefault(each.text, []).append(each)
    for text, found in of_value.items():
        part = _("{name} (rows: {n}, the first in {place}; all others from {low} to {high})")
        facts = [{"name": s.column, "n": s.rows, "low": s.low, "high": s.high} for s in found]
        parts = [part.format(place=table.place(s.row), **f) for s, f in zip(found, facts, strict=True)]
        message = _("{value} is repeated far from all other values, as if it stood for none: {names}.")
        if target:
            message = _("The target is {value} far from all other values, as if it stood for none: {names}.")
        hint = _("If it does: {setting}.").format(setting=setting("missing", as_items([text])))
        message = message.format(value=text, names=shortened(joined(parts, "; "), 400))
        yield DataWarning("column_sentinel", message, hint, found[0].column, table.place(found[0].row))


def say_far_values(
    table: Table, column: Column, dated: bool, known: Iterable[Sentinel] = ()
) -> DataWarning | None:
    """The warning about a few values so far from the others that they are probably mistakes, such as a date
    in 2608 among those of 2021; None if there are none. known: values that are named already.

    Dates that are less than a year from the middle half of all aren't named.
    """
    if column.values is None:
        return None
    value_N = np.asarray(column.values, dtype=np.float64)
    least, most = (_YEAR, 0.05) if dated else (0.0, measures.FEW)
    rows = measures.outliers(value_N, _ANOTHER_WORLD, least, most)
    rows = rows[~np.isin(value_N[rows], value_N[[each.row for each in known]])]
    if not len(rows):
        return None
    place = table.place(int(rows[0]))
    text = _("'{name}' has values far from all others: {n}, the farthest {value} in {place}.")
    message = text.format(name=column.name, n=len(rows), value=column.cell(int(rows[0])), place=place)
    hint = _("Correct it if it is a mistake; if it isn't, look how the figures change without the row.")
    return DataWarning("column_outliers", message, hint, column.name, place)


def notes_on_values(table: Table, targets: Sequence[str], roles: Mapping[str, ColumnRole]) -> Iterator[str]:
    """Yield notes on values of targets and inputs that may stand for none, and on dates far from others."""
    for names in (targets, list(roles)):
        yield from (warning.note for warning in say_sentinels(table, names, target=names is targets))
    for name in (name for name, role in roles.items() if role.way == "date"):
        if far := say_far_values(table, table.column(name), True, sentinels(table.column(name))):
            yield far.note
