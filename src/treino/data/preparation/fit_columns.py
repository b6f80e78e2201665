"""Fit a column's program on training rows: which steps turn its cells into inputs.

Each way of the table ``WAYS`` makes a program; all that comes later reads the program alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.resampling import as_counts
from treino.base.text import shortened
from treino.base.words import N_, _, joined
from treino.data.column_program import ColumnProgram
from treino.data.operations import (
    DAY,
    Bins,
    Circle,
    ColumnStep,
    Days,
    Fill,
    Flag,
    Hash,
    Length,
    Linear,
    Means,
    OneHot,
    Part,
    Place,
    ReadNumber,
    ReadSeconds,
    ReadWord,
    Select,
    TermWeights,
)
from treino.data.preparation.column_cells import number_cells, second_cells
from treino.data.preparation.column_kinds import (
    ColumnRole,
    by_value,
    holds_truth,
    in_value_order,
    level_cells,
)
from treino.data.preparation.interpreter import Floats, passed_share, place
from treino.data.preparation.target_means import TargetFolds, repeats
from treino.data.preparation.texts import TextTerms, fit_texts
from treino.data.preparation.ways import WAYS, Way
from treino.data.table import Column, RowPlace

MOST_LEVELS = 40  # more classes than this are hashed; skrub's TableVectorizer has the same limit
MOST_LEVELS_WITH_BINS = 256  # the limit with bins, which add many inputs anyway
BUCKETS = 64
BINS = 16  # the usual number of bins of a column
PARTS: tuple[Any, ...] = N_("month"), N_("weekday"), N_("hour")

# ---- bins of numbers


def quantile_edges(
    value_N: Floats, fill: float, bins: int, weight_N: Floats | None = None
) -> tuple[float, ...]:
    """Edges of ``bins`` bins with about equally many values each. A column with few distinct values has
    fewer edges; a column with two has none.

    fill: the replacement of NaN. weight_N: how much each value counts.
    """
    known = np.where(np.isnan(value_N), fill, value_N)
    if not bins or not len(known):
        return ()
    edges = np.unique(quantiles(known, np.linspace(0, 1, bins + 1), weight_N))
    with np.errstate(over="ignore"):
        finite = bool(np.isfinite(np.diff(edges)).all())
    return tuple(edges.tolist()) if len(edges) > 2 and finite else ()


def quantiles(value_N: Floats, share_K: Floats, weight_N: Floats | None) -> Floats:
    """``[K]``: the quantiles that ``np.quantile`` gives for values repeated as often as their weights say,
    see ``as_counts``."""
    if weight_N is None:
        return np.asarray(np.quantile(value_N, share_K))
    order_N = value_N.argsort(kind="stable")
    end_N = as_counts(weight_N)[order_N].cumsum()
    place_K = share_K * max(end_N[-1] - 1, 0)  # among the repeated values
    below_K = np.floor(place_K)
    low_K, high_K = (
        value_N[order_N[np.searchsorted(end_N, at_K, side="right").clip(max=len(end_N) - 1)]]
        for at_K in (below_K, below_K + 1)
    )
    part_K = place_K - below_K
    up_K, down_K = low_K + (high_K - low_K) * part_K, high_K - (high_K - low_K) * (1 - part_K)
    return np.asarray(np.where(part_K < 0.5, up_K, down_K))


def _middle(value_N: Floats, how: str, weight_N: Floats | None = None) -> tuple[float, bool]:
    """Return the value that replaces missing ones, and whether any value is missing."""
    there_N = ~np.isnan(value_N)
    present = value_N[there_N]
    weight = None if weight_N is None else weight_N[there_N]
    flag = len(present) < len(value_N)
    if not len(present):
        return 0.0, flag
    if how == "commonest":
        return float(np.average(present, weights=weight) > 0.5), flag

    def average(values: Floats) -> Any:
        if how == "mean":
            return np.average(values, weights=weight)
        return np.median(values) if weight is None else quantiles(values, np.array([0.5]), weight)[0]

    with np.errstate(over="ignore"):
        middle = float(average(present))
    if not np.isfinite(middle):  # the sum of two huge values overflowed
        largest = float(np.abs(present).max())
        middle = float(average(present / largest)) * largest
    return middle, flag


# ---- programs


@dataclass(frozen=True, eq=False)
class ColumnFit:
    """A column and what its program is fitted on.

    train_N: the training rows. impute: ``median`` or ``mean``, the statistic of the training rows that
    replaces a missing number. bins: the largest number of bins; 0: none. weight_T: the training rows'
    weights. folds: the data on which target means are fitted; None: no target means. told: the training
    rows' targets, by which the terms of a text are chosen. linear: whether a text gets linear predictions.
    """

    column: Column
    role: ColumnRole
    train_N: NDArray[np.int64]
    place: RowPlace
    impute: str = "median"
    bins: int = 0
    weight_T: Floats | None = None
    folds: TargetFolds | None = None
    told: TargetFolds | None = None
    linear: bool = False

    def words(self, numeric: bool) -> NDArray[np.object_]:
        """The training rows' words."""
        return level_cells(self.column, numeric)[self.train_N]

    def binned(self, steps: list[ColumnStep], value_T: Floats, fill: float) -> list[int]:
        """Add the bins of the last step's numbers, and return the steps to show. fill: of missing numbers."""
        shown = [len(steps) - 1]
        if edges := self.edges(value_T, fill, self.bins):
            steps.append(Bins(of=shown[0], edges=edges))
            shown.append(len(steps) - 1)
        return shown

    def edges(self, value_T: Floats, fill: float, bins: int) -> tuple[float, ...]:
        return quantile_edges(value_T, fill, bins, self.weight_T)


def _program(
    column: str, way: str, steps: Sequence[ColumnStep], shown: Sequence[int], flag: Flag | None = None
) -> ColumnProgram:
    """The program of these steps. flag: the last step, which marks missing cells."""
    steps, shown = list(steps), list(shown)
    if flag is not None:
        shown.append(len(steps))
        steps.append(flag)
    return ColumnProgram(column=column, way=way, steps=tuple(steps), shown=tuple(shown))


def fit_column(fit: ColumnFit) -> ColumnProgram:
    """The program of a column, fitted on its training rows alone."""
    return WAYS["one-hot" if fit.role.way == "category" else fit.role.way].fit(fit)


def _number(fit: ColumnFit) -> ColumnProgram:
    truth = holds_truth(fit.column, fit.role)
    value_T = number_cells(fit.column, fit.place, truth=truth)[fit.train_N]
    fill, flag = _middle(value_T, "commonest" if fit.column.boolean else fit.impute, fit.weight_T)
    steps: list[ColumnStep] = [ReadNumber(truth=truth), Fill(of=0, value=fill)]
    shown = fit.binned(steps, value_T, fill)
    filled_T = np.where(np.isnan(value_T), fill, value_T)
    if fit.folds is not None and not fit.column.boolean and repeats(filled_T):
        edges = steps[-1].edges if isinstance(steps[-1], Bins) else fit.edges(value_T, fill, BINS)
        if known := fit.folds.fit(filled_T, np.digitize(filled_T, edges)):
            values, means = known
            steps += [Place(of=1, values=values), Means(of=len(steps), **means)]
            shown.append(len(steps) - 1)
    return _program(fit.column.name, "number", steps, shown, Flag(of=0) if flag else None)


def _rank(fit: ColumnFit) -> ColumnProgram:
    numeric, levels = by_value(fit.column), fit.role.levels
    rank_T = place(fit.words(numeric), levels)
    fill, flag = _middle(rank_T, "median", fit.weight_T)
    steps: list[ColumnStep] = [ReadWord(numeric=numeric), Place(of=0, values=levels), Fill(of=1, value=fill)]
    shown = fit.binned(steps, rank_T, fill)
    return _program(fit.column.name, "rank", steps, shown, Flag(of=1) if flag else None)


def _one_hot(fit: ColumnFit) -> ColumnProgram:
    numeric = by_value(fit.column)
    known, most = set(fit.words(numeric).tolist()), MOST_LEVELS_WITH_BINS if fit.bins else MOST_LEVELS
    if fit.role.way == "category" and len(known) > most:
        return _hashed(fit)
    levels = [level for level in fit.column.categories if level in known] or in_value_order(known - {""})
    levels = [level for level in levels if level] + [""] * ("" in known)
    return class_program(fit.column.name, tuple(levels), numeric)


def _hashed(fit: ColumnFit) -> ColumnProgram:
    column, numeric = fit.column, by_value(fit.column)
    words_T = fit.words(numeric)
    if column.numbers is not None and column.odd is None and not column.boolean:
        distinct = len(np.unique(column.numbers[fit.train_N]))
        numeric = len(set(words_T)) == distinct and not column.merges  # each has one spelling
        words_T = fit.words(numeric)
    one_bin_T = np.zeros(len(words_T), dtype=np.int64)
    known = None if fit.folds is None else fit.folds.fit(words_T, one_bin_T)
    values = known[0] if known else tuple(sorted(set(words_T.tolist()) - {""}))
    slots = tuple(hash_slot(column.name, word, BUCKETS) if word else 0 for word in values)
    steps: list[ColumnStep] = [
        ReadWord(numeric=numeric),
        Place(of=0, values=values),
        Hash(of=1, count=BUCKETS, slots=slots),
    ]
    if known:
        return _program(column.name, "hashed", [*steps, Means(of=1, **known[1])], [2, 3])
    return _program(column.name, "hashed", steps, [2])


def _date(fit: ColumnFit) -> ColumnProgram:
    second_T = second_cells(fit.column, fit.place)[fit.train_N]
    present = second_T[~np.isnan(second_T)]
    fill, flag = _middle(second_T, fit.impute, fit.weight_T)
    origin = float(present.min()) if len(present) else 0.0
    steps: list[ColumnStep] = [ReadSeconds(), Fill(of=0, value=fill), Days(of=1, origin=origin)]
    shown = fit.binned(steps, (second_T - origin) / DAY, (fill - origin) / DAY)
    for name in PARTS:
        if len(np.unique(passed_share(present, name))) > 1:
            steps += [Part(of=0, part=name), Circle(of=len(steps), period=1.0)]
            shown.append(len(steps) - 1)
    return _program(fit.column.name, "date", steps, shown, Flag(of=0) if flag else None)


def _time(fit: ColumnFit) -> ColumnProgram:
    absent_T = np.isnan(second_cells(fit.column, fit.place, clock=True)[fit.train_N])
    steps: list[ColumnStep] = [ReadSeconds(clock=True), Circle(of=0, period=DAY)]
    return _program(fit.column.name, "time", steps, [1], Flag(of=0) if absent_T.any() else None)


def _text(fit: ColumnFit) -> ColumnProgram:
    words_T = fit.words(False)
    assert fit.told is not None
    known = fit_texts(words_T.tolist(), fit.told, fit.linear)
    return text_program(fit.column.name, known, bool((words_T == "").any()))


def text_program(column: str, known: TextTerms, flag: bool = False) -> ColumnProgram:
    """The program of free text with these terms; ``flag``: with an input for missing texts."""
    steps: list[ColumnStep] = [ReadWord(), Length(of=0, letters=known.letters)]
    shown = [1]
    if known.terms:
        steps.append(TermWeights(of=0, letters=known.letters, terms=known.terms, weights=known.weights))
        steps.append(Select(of=2, count=known.shown))
        if known.sums:
            steps.append(Linear(of=2, terms=known.summed, slopes=known.sums))
        if known.slopes:
            steps.append(Linear(of=2, terms=len(known.terms), slopes=known.slopes, of_target=True))
        shown += range(3, len(steps))
    return _program(column, "text", steps, shown, Flag(of=0) if flag else None)


def hash_slot(column: str, word: str, buckets: int) -> int:
    """The bucket of a word, from 1 on, with its sign: by the first 64 bits of SHA-256("column=word"), which
    are the same on every machine. Weinberger et al. 2009, https://arxiv.org/abs/0902.2206."""
    digest = int.from_bytes(hashlib.sha256(f"{column}={word}".encode()).digest()[:8], "big")
    return (digest % buckets + 1) * (1 if digest // buckets % 2 else -1)


def class_program(column: str, levels: tuple[str, ...], numeric: bool) -> ColumnProgram:
    """The program with one input for each of these classes."""
    steps = ReadWord(numeric=numeric), Place(of=0, values=levels), OneHot(of=1, count=len(levels))
    return _program(column, "one-hot", steps, [2])


def number_program(column: str) -> ColumnProgram:
    """The program of numbers that are taken as they are; a missing one is refused."""
    return ColumnProgram(column=column, way="number", steps=(ReadNumber(required=True),), shown=(0,))


# ---- ways


def _counted(program: ColumnProgram) -> str:
    terms = program.step("terms")
    n = len(set(program.words) - {""}) if terms is None else len(terms.terms)
    n = len(program.levels) or n
    return _("{name} ({n})").format(name=program.column, n=f"{n:,}")


def _in_order(program: ColumnProgram) -> str:
    levels = shortened(" < ".join(program.levels), 80)
    return _("{name} ({levels})").format(name=program.column, levels=levels)


def _dated(program: ColumnProgram) -> str:
    parts = (joined([", ", _(part)]) for part in program.parts)
    return joined([_("{name} (days").format(name=program.column), *parts, ")"])


ONE_HOT = N_("One input for each class (so many): {names}.")
HASHED = N_(
    "Hashed, for their classes are many (so many are in the training rows; all others are alike): {names}."
)
OF_TEXT = N_("Free text, by words and pieces of words (so many): {names}.")
RANKED = N_("Ordered classes as ranks: {names}.")
DATED = N_("Dates as days, and what comes around as points of a circle: {names}.")
TIMED = N_("Times of day as points of a circle: {names}. As classes instead: [[kinds={first}=category]].")
WAYS |= {
    "number": Way(_number, "number", N_("number")),
    "one-hot": Way(_one_hot, "one-hot", N_("one input for each class"), ONE_HOT, _counted),
    "hashed": Way(_hashed, "hashed", N_("hashed classes"), HASHED, _counted),
    "text": Way(_text, "text", N_("text"), OF_TEXT, _counted),
    "rank": Way(_rank, "category", N_("ordered classes"), RANKED, _in_order),
    "date": Way(_date, "date", N_("date"), DATED, _dated),
    "time": Way(_time, "date", N_("time of day"), TIMED),
}
