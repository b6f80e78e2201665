"""Turn columns into network inputs by encoders, fitted on training rows and stored with the run.

What an encoder holds is declared in ``documents.py``; here cells are encoded, and encoders fitted.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.resampling import as_counts
from treino.base.text import shortened
from treino.base.words import N_
from treino.data.cell_forms import missing
from treino.data.documents import (
    TERM_SCALE,
    ColumnEncoder,
    DateEncoder,
    Encoder,
    HashingEncoder,
    NumberEncoder,
    OneHotEncoder,
    RankEncoder,
    TextEncoder,
    TimeEncoder,
)
from treino.data.preparation.column_kinds import (
    ColumnRole,
    by_value,
    holds_truth,
    in_value_order,
    level_cells,
    level_codes,
)
from treino.data.preparation.target_means import TargetFolds, mean_inputs, places, repeats
from treino.data.preparation.texts import fit_texts, text_inputs
from treino.data.table import Column, fault, fault_odd, number

FEATURE_NO_DATE = Refusal(
    "Column '{name}' holds '{cell}' in {place}, and dates of one format are wanted.",
    "Write all dates the same way, as 2024-12-31, or say how they are written with [[dates]].",
)
FEATURE_NO_TIME = Refusal(
    "Column '{name}' holds '{cell}' in {place}, and times of day of one format are wanted.",
    "Write all times the same way, as 09:30.",
)

# ---- bins of numbers

Floats = NDArray[np.float64]


def with_bins(value_N: Floats, edges: tuple[float, ...]) -> list[Floats]:
    """The values, and their ``bin_shares``."""
    return [value_N, *bin_shares(value_N, edges)]


def bin_shares(value_N: Floats, edges: tuple[float, ...]) -> Iterator[Floats]:
    """Yield the share of each bin below each value: 0 up to its start, 1 from its end.

    Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556. Their outer bins are open-ended; these are
    bounded, so that no share exceeds 1.
    """
    for low, high in itertools.pairwise(edges):
        yield (np.clip(value_N, low, high) - low) / (high - low)


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


# ---- encoders

Place = Callable[[int], str]

MOST_LEVELS = 40  # more classes than this are hashed; skrub's TableVectorizer has the same limit
MOST_LEVELS_WITH_BINS = 256  # the limit with bins, which add many inputs anyway
BUCKETS = 64
BINS = 16  # the usual number of bins of a column
DAY = 86400.0


@dataclass(frozen=True)
class EncodingGaps:
    """Counts of missing cells and of cells with unknown classes in a column; example: an unknown class."""

    missing: int = 0
    unknown: int = 0
    example: str = ""

    def __add__(self, other: "EncodingGaps") -> "EncodingGaps":
        return EncodingGaps(
            self.missing + other.missing, self.unknown + other.unknown, self.example or other.example
        )


@singledispatch
def encoded(encoder: ColumnEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    """The inputs ``[N, inputs]`` of a column's cells, and the counts of cells without a known value."""
    raise TypeError(type(encoder).__name__)


@encoded.register
def _encoded_number(encoder: NumberEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    return _filled(encoder, number_cells(column, place, required=encoder.fill is None, truth=encoder.truth))


@encoded.register
def _encoded_rank(encoder: RankEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    code_N, seen = _codes(encoder.levels, level_cells(column, encoder.numeric))
    values, _seen = _filled(encoder, np.where(code_N < 0, np.nan, code_N))
    return values, seen


@encoded.register
def _encoded_one_hot(encoder: OneHotEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    code_N, seen = _codes(encoder.levels, level_cells(column, encoder.numeric))
    values = np.zeros((len(code_N), len(encoder.levels)))
    known = np.flatnonzero(code_N >= 0)
    values[known, code_N[known]] = 1.0
    return values, seen


@encoded.register
def _encoded_hashed(encoder: HashingEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    words = level_cells(column, encoder.numeric)
    place_N = places(words, encoder.values)
    place_K, row_N = np.unique(place_N, return_inverse=True)
    inputs = hashed(encoder, place_K)[row_N]
    if encoder.means:
        inputs = np.column_stack([inputs, *mean_inputs(place_N, encoder.values, encoder.means)])
    return inputs, EncodingGaps(missing=int((words == "").sum()))


@encoded.register
def _encoded_date(encoder: DateEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    second_N = second_cells(column, place)
    absent_N = np.isnan(second_N)
    present_N = np.where(absent_N, encoder.fill, second_N)
    inputs = with_bins((present_N - encoder.origin) / DAY, encoder.edges)
    for part in encoder.parts:
        inputs += _on_circle(2 * np.pi * CIRCLES[part](present_N), absent_N)
    return _flagged(encoder, inputs, absent_N)


@encoded.register
def _encoded_time(encoder: TimeEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    second_N = second_cells(column, place, clock=True)
    absent_N = np.isnan(second_N)
    angle_N = 2 * np.pi * np.where(absent_N, 0.0, second_N) / DAY
    return _flagged(encoder, _on_circle(angle_N, absent_N), absent_N)


@encoded.register
def _encoded_text(encoder: TextEncoder, column: Column, place: Place) -> tuple[Floats, EncodingGaps]:
    texts = level_cells(column, False)
    e = encoder
    how = (e.letters, e.terms, e.weights, e.shown, e.summed, e.sums, e.slopes, TERM_SCALE)
    inputs_NK = text_inputs(texts.tolist(), *how)
    return _flagged(encoder, list(inputs_NK.T), texts == "")


def hashed(encoder: HashingEncoder, place_K: NDArray[np.int64]) -> Floats:
    """``[K, buckets]``: the inputs of the classes at these places among the known ones; -1: of any other."""
    inputs = np.zeros((len(place_K), encoder.buckets))
    for k, place in enumerate(place_K.tolist()):
        if place >= 0 and encoder.values[place]:
            bucket, sign = hash_place(encoder.column, encoder.values[place], encoder.buckets)
            inputs[k, bucket] = sign
    return inputs


def hash_place(column: str, word: str, buckets: int) -> tuple[int, int]:
    """Return (bucket, sign) of a class."""
    digest = int.from_bytes(hashlib.sha256(f"{column}={word}".encode()).digest()[:8], "big")
    return digest % buckets, 1 if digest // buckets % 2 else -1


def _month(second_N: Floats) -> Floats:
    whole = np.floor(second_N).astype("int64").astype("datetime64[s]")
    return np.asarray(whole.astype("datetime64[M]").astype(np.int64) % 12 / 12)


CIRCLES: dict[str, Callable[[Floats], Floats]] = {
    N_("month"): _month,
    N_("weekday"): lambda second_N: (np.floor(second_N / DAY) + 3) % 7 / 7,  # 1970-01-01 was a Thursday
    N_("hour"): lambda second_N: second_N % DAY / DAY,
}
"""The position on each circle, from 0 to 1: month of the year, day of the week, second of the day."""


def fit_encoder(
    column: Column,
    choice: ColumnRole,
    train_N: NDArray[np.int64],
    place: Place,
    impute: str = "median",
    bins: int = 0,
    weight_T: Floats | None = None,
    folds: TargetFolds | None = None,
    told: TargetFolds | None = None,
    linear: bool = False,
) -> Encoder:
    """The encoder of a column, fitted on its training rows alone.

    impute: ``median`` or ``mean``, the statistic of the training rows that replaces a missing number. bins:
    the largest number of bins of a number, a rank or a date; 0: none. weight_T: the training rows' weights.
    folds: the data on which target means are fitted; None: no target means. told: the training rows'
    targets, by which the terms of a text are chosen. linear: whether a text gets linear predictions.
    """
    name, numeric = column.name, by_value(column)
    if choice.way == "number":
        truth = holds_truth(column, choice)
        values = number_cells(column, place, truth=truth)[train_N]
        fill, flag = _middle(values, "commonest" if column.boolean else impute, weight_T)
        edges = quantile_edges(values, fill, bins, weight_T)
        filled_T, means = np.where(np.isnan(values), fill, values), {}
        if folds is not None and not column.boolean and repeats(filled_T):
            apart = edges or quantile_edges(values, fill, BINS, weight_T)
            means = folds.fit(filled_T, np.digitize(filled_T, apart))
        return NumberEncoder(column=name, truth=truth, fill=fill, flag=flag, edges=edges, **means)
    if choice.way == "date":
        return _fit_date(name, second_cells(column, place)[train_N], impute, bins, weight_T)
    if choice.way == "time":
        absent_N = np.isnan(second_cells(column, place, clock=True))
        return TimeEncoder(column=name, flag=bool(absent_N[train_N].any()))
    words = level_cells(column, numeric)[train_N]
    if choice.way == "text":
        words = level_cells(column, False)[train_N]
        assert told is not None
        fields = fit_texts(words.tolist(), told, linear)
        return TextEncoder(column=name, flag=bool((words == "").any()), **fields)
    if choice.way == "rank":
        code_N, _seen = _codes(choice.levels, words)
        rank_N = np.where(code_N < 0, np.nan, code_N)
        fill, flag = _middle(rank_N, "median", weight_T)
        edges = quantile_edges(rank_N, fill, bins, weight_T)
        ranks = choice.levels
        return RankEncoder(column=name, levels=ranks, numeric=numeric, fill=fill, flag=flag, edges=edges)
    levels, most = set(words.tolist()), MOST_LEVELS_WITH_BINS if bins else MOST_LEVELS
    if choice.way == "hashed" or (choice.way == "category" and len(levels) > most):
        if column.numbers is not None and column.odd is None and not column.boolean:
            distinct = len(np.unique(column.numbers[train_N]))
            numeric = len(set(words)) == distinct and not column.merges  # each has one spelling
            words = level_cells(column, numeric)[train_N]
        fitted = {} if folds is None else folds.fit(words, np.zeros(len(words), dtype=np.int64))
        fitted = fitted or {"values": tuple(sorted(set(words.tolist()) - {""}))}
        return HashingEncoder(column=name, buckets=BUCKETS, numeric=numeric, **fitted)
    in_order = tuple(level for level in column.categories if level in levels)
    if not in_order:
        in_order = (*in_value_order(levels - {""}), *([""] if "" in levels else []))
    elif "" in levels:
        in_order = (*in_order, "")
    return OneHotEncoder(column=name, levels=in_order, numeric=numeric)


def _fit_date(name: str, second_N: Floats, impute: str, bins: int, weight_N: Floats | None) -> DateEncoder:
    present = second_N[~np.isnan(second_N)]
    fill, flag = _middle(second_N, impute, weight_N)
    parts: Any = tuple(part for part, turn in CIRCLES.items() if len(np.unique(turn(present))) > 1)
    origin = float(present.min()) if len(present) else 0.0
    edges = quantile_edges((second_N - origin) / DAY, (fill - origin) / DAY, bins, weight_N)
    return DateEncoder(column=name, origin=origin, parts=parts, fill=fill, flag=flag, edges=edges)


def number_cells(
    column: Column, place: Place, *, required: bool = False, truth: bool | None = None
) -> Floats:
    """``[N]`` float64, NaN for missing cells. Refuses a cell that isn't a finite number, naming its place.

    truth: as in ``fault``."""
    if problem := fault(column, place, required=required, truth=truth):
        raise problem.refusal()
    if column.numbers is None:
        assert column.words is not None
        values = (number(word) for word in column.words)
        return np.array([np.nan if value is None else value for value in values])
    return np.asarray(column.numbers, dtype=np.float64)


def second_cells(column: Column, place: Place, *, clock: bool = False) -> Floats:
    """``[N]`` seconds since 1970-01-01, or since midnight if ``clock``; NaN for missing cells. Refuses a cell
    that isn't a date (or a time of day), naming its place."""
    if column.seconds is not None and column.clock == clock:
        if column.odd is not None:
            raise fault_odd(column, place).refusal()
        return column.seconds
    if column.words is not None and column.seconds is None:
        absent_N = np.array([missing(word) for word in column.words])
    else:
        absent_N = column.missing_N
    if absent_N.all():
        return np.full(len(column), np.nan)
    row = int((~absent_N).argmax())
    if clock:
        raise FEATURE_NO_TIME(name=column.name, cell=shortened(column.cell(row)), place=place(row))
    raise FEATURE_NO_DATE(name=column.name, cell=shortened(column.cell(row)), place=place(row))


def _codes(levels: tuple[str, ...], words: NDArray[np.object_]) -> tuple[NDArray[np.int64], EncodingGaps]:
    """Return the index of each cell in the levels, -1 for other cells, and the counts of these other
    cells."""
    code_N = level_codes(levels, words)
    absent_N = np.asarray(words == "", dtype=bool)
    unknown = np.flatnonzero((code_N < 0) & ~absent_N)
    example = str(words[unknown[0]]) if len(unknown) else ""
    return code_N, EncodingGaps(int(absent_N.sum()), len(unknown), example)


def of_number(encoder: Encoder, value_N: Floats) -> list[Floats]:
    """A column's numbers, with missing ones filled, and all inputs that depend only on them."""
    inputs = with_bins(value_N, encoder.edges)
    if isinstance(encoder, NumberEncoder) and encoder.values:
        inputs += mean_inputs(places(value_N, encoder.values), encoder.values, encoder.means)
    return inputs


def mean_keys(encoder: Encoder, column: Column, place: Place) -> NDArray[Any]:
    """``[N]``: for each cell, the key with which ``encoder.values`` is searched for its target means."""
    if isinstance(encoder, HashingEncoder):
        return level_cells(column, encoder.numeric)
    assert isinstance(encoder, NumberEncoder)
    assert encoder.fill is not None
    value_N = number_cells(column, place)
    return np.where(np.isnan(value_N), encoder.fill, value_N)


def _filled(encoder: NumberEncoder | RankEncoder, value_N: Floats) -> tuple[Floats, EncodingGaps]:
    absent_N = np.isnan(value_N)
    values = np.where(absent_N, np.nan if encoder.fill is None else encoder.fill, value_N)
    return _flagged(encoder, of_number(encoder, values), absent_N)


def _flagged(
    encoder: ColumnEncoder, inputs: list[Floats], absent_N: NDArray[np.bool_]
) -> tuple[Floats, EncodingGaps]:
    """Return the inputs side by side, with the flag of missing cells if there is one, and their number."""
    flag = [absent_N.astype(np.float64)] if encoder.flag else []
    return np.stack([*inputs, *flag], axis=1), EncodingGaps(missing=int(absent_N.sum()))


def _on_circle(angle_N: Floats, absent_N: NDArray[np.bool_]) -> list[Floats]:
    """The points of a circle at these angles; its centre for a missing cell."""
    return [np.where(absent_N, 0.0, axis(angle_N)) for axis in (np.sin, np.cos)]


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
