"""Measure columns: their association with a target, outliers, small histograms."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from treino.base.text import shortened
from treino.data.table import Column

# ---- measures of association of columns with a target

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAR = 3.0  # interquartile ranges beyond the quartiles: Tukey's outer fences
FEW = 0.01  # largest share of outliers; more values beyond the fences are a long tail
GIVEN_AWAY = 0.995
ROWS_PER_LEVEL = 5


def outliers(value_N: Floats, far: float = FAR, least: float = 0.0, most: float = FEW) -> Ints:
    """The rows of outliers, the farthest first; none if a larger share of values than ``most`` would be.

    Outliers lie beyond Tukey's outer fences (Exploratory Data Analysis, 1977). far: the distance of the
    fences from the quartiles, in interquartile ranges. least: the least distance of the fences.
    """
    present = np.isfinite(value_N)
    if present.sum() < 20:
        return np.empty(0, dtype=np.int64)
    low, middle, high = np.percentile(value_N[present], [25, 50, 75])
    width = high - low
    if not width > 0 or not np.isfinite(width):
        return np.empty(0, dtype=np.int64)
    away = max(far * width, least)
    beyond_N = present & ((value_N < low - away) | (value_N > high + away))
    rows = np.flatnonzero(beyond_N)
    if len(rows) > max(1.0, most * present.sum()):
        return np.empty(0, dtype=np.int64)
    return rows[np.argsort(-np.abs(value_N[rows] - middle), kind="stable")]


def dot(a_N: Floats, b_N: Floats) -> np.float64:
    """The sum of the products, in NumPy's order, which follows from the length alone: that of the BLAS
    (``a_N @ b_N``) may follow from threads and memory, and figures have the same bits each time."""
    return np.float64(np.multiply(a_N, b_N).sum())


def pearson(a_N: Floats, b_N: Floats) -> float | None:
    """Pearson's correlation of two columns, on rows without missing values; None if one is constant."""
    there = np.isfinite(a_N) & np.isfinite(b_N)
    a, b = _unit(a_N[there]), _unit(b_N[there])
    if a is None or b is None:
        return None
    return float(np.clip(dot(a, b), -1.0, 1.0))


def spearman(a_N: Floats, b_N: Floats) -> float | None:
    """Spearman's rank correlation of two columns; ties share their mean rank."""
    there = np.isfinite(a_N) & np.isfinite(b_N)
    return pearson(_ranks(a_N[there]), _ranks(b_N[there]))


def _ranks(value_N: Floats) -> Floats:
    """``[N]``: the place of each value in their order, from 1; of equal values the mean of theirs."""
    _values, place_N, count_V = np.unique(value_N, return_inverse=True, return_counts=True)
    return np.asarray((count_V.cumsum() - (count_V - 1) / 2)[place_N])


def correlation_ratio(code_N: Ints, value_N: Floats) -> float | None:
    """The correlation ratio η, from 0 to 1: deviation between classes over total deviation (Fisher 1925).

    Rows with a missing number or class -1 are left out; None if the numbers are constant.
    """
    there = np.isfinite(value_N) & (code_N >= 0)
    value = _unit(value_N[there])
    if value is None:
        return None
    code = code_N[there]
    count_C = np.maximum(np.bincount(code), 1)
    return float(np.sqrt(min(1.0, (np.bincount(code, weights=value) ** 2 / count_C).sum())))


def cramers_v(a_N: Ints, b_N: Ints) -> float | None:
    """Cramér's V of two columns of classes, from 0 to 1 (Cramér 1946); None if either has a single class."""
    there = (a_N >= 0) & (b_N >= 0)
    a, b = np.unique(a_N[there], return_inverse=True)[1], np.unique(b_N[there], return_inverse=True)[1]
    if not len(a) or a.max() == 0 or b.max() == 0:
        return None
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / len(a)
    chi = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(min(1.0, chi / (len(a) * (min(table.shape) - 1)))))


def class_runs(value_N: Floats, label_N: Ints) -> int | None:
    """The number of runs of equal classes in order of the values; None if equal values differ in class."""
    there = np.isfinite(value_N)
    value, label = value_N[there], label_N[there]
    order = np.lexsort((label, value))
    value, label = value[order], label[order]
    changes = label[1:] != label[:-1]
    if not len(value) or (changes & (value[1:] == value[:-1])).any():
        return None
    return int(changes.sum()) + 1


def gives_classes_away(value_N: Floats, label_N: Ints) -> bool:
    """Whether the numbers alone separate the classes: each class has about one or two intervals of its
    own."""
    runs = class_runs(value_N, label_N)
    if runs is None:
        return False
    present = int(np.isfinite(value_N).sum())
    most = 2 * (int(label_N.max()) + 1) - 1
    return 1 < runs <= most and present >= ROWS_PER_LEVEL * runs and 2 * present > len(value_N)


def levels_give_classes_away(code_N: Ints, label_N: Ints) -> bool:
    """Whether the levels alone determine the target's class: nearly every level has a single class, and
    levels have enough rows on average."""
    there = code_N >= 0
    code, label = code_N[there], label_N[there]
    levels = len(np.unique(code))
    if levels < 2:
        return False
    table = np.zeros((code.max() + 1, label.max() + 1))
    np.add.at(table, (code, label), 1)
    # the shares of rows with the most frequent class of their level, and with that of all
    pure, base = table.max(1).sum() / len(code), table.sum(0).max() / len(code)
    return bool(pure >= GIVEN_AWAY > base) and levels * ROWS_PER_LEVEL <= len(code_N)


def orders_with(value_N: Floats, label_N: Ints) -> bool:
    """Whether the values group the classes: in their order, the class changes at most a tenth as often as by
    chance."""
    there = np.isfinite(value_N)
    label = label_N[there][np.argsort(value_N[there], kind="stable")]
    share_C = np.bincount(label) / max(1, len(label))
    expected = (len(label) - 1) * (1 - (share_C**2).sum())
    return bool(expected >= 20 and (label[1:] != label[:-1]).sum() <= 0.1 * expected)


def _unit(value_N: Floats) -> Floats | None:
    """The values minus their mean, scaled to length 1; None if all are equal."""
    if len(value_N) < 2 or value_N.min() == value_N.max():
        return None
    largest = float(np.abs(value_N).max())
    centred = value_N / largest
    centred = centred - centred.mean()
    length = float(np.sqrt(dot(centred, centred)))
    return centred / length if length > 0 else None


# ---- histograms of columns, as high as a line of text

BINS = 24
VALUES = 8


@dataclass(frozen=True)
class NumberHistogram:
    """Counts of finite numbers between edges. unit: ``dates`` for seconds since 1970, ``times`` for seconds
    since midnight."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    unit: Literal["numbers", "dates", "times"] = "numbers"

    def to_json(self) -> dict[str, Any]:
        unit = {} if self.unit == "numbers" else {self.unit: True}
        return {"edges": list(self.edges), "counts": list(self.counts)} | unit


@dataclass(frozen=True)
class WordCounts:
    """Counts of the most frequent words, in descending order, or of a few distinct numbers. others: the count
    of all further words."""

    values: tuple[str, ...]
    counts: tuple[int, ...]
    others: int

    def to_json(self) -> dict[str, Any]:
        return {"values": list(self.values), "counts": list(self.counts), "others": self.others}


def shape(column: Column) -> NumberHistogram | WordCounts | None:
    """The histogram of a column; None if all cells are missing, or none can be drawn of its numbers."""
    values = column.numbers if column.numbers is not None else column.seconds
    if values is None or column.boolean or column.whole_words is not None:
        assert column.words is not None  # only numbers and seconds do without
        count = Counter(column.words[column.words != ""].tolist())
        return word_counts(Counter(dict(sorted(count.items())))) if count else None
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return None
    distinct = np.unique(finite[:1000])
    if len(distinct) <= VALUES and column.seconds is None:
        distinct = np.unique(finite)
        if len(distinct) <= VALUES:
            counts = tuple(int((finite == value).sum()) for value in distinct)
            return WordCounts(tuple(f"{value:g}" for value in distinct), counts, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = finite.min(), finite.max()
        if not np.isfinite(high - low) or high - low < BINS * np.spacing(max(-low, high)):
            return None  # too far apart, or too near for floats between them
        counts_B, edges = np.histogram(finite, bins=BINS, range=(low, high))
    unit: Literal["numbers", "dates", "times"] = (
        "numbers" if column.seconds is None else "times" if column.clock else "dates"
    )
    return NumberHistogram(tuple(edges.tolist()), tuple(counts_B.tolist()), unit)


def word_counts(count: Counter[str]) -> WordCounts:
    """The commonest words of texts, in the same form. count: in how many texts each word is."""
    first = count.most_common(VALUES)
    return WordCounts(
        tuple(shortened(word, 24) for word, _n in first),
        tuple(n for _word, n in first),
        count.total() - sum(n for _word, n in first),
    )
