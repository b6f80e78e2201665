"""Histograms of columns for pictures as high as a line of text."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from treino.data.table import Column, shorten

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
    """Counts of words, or of few different numbers, the most frequent first. others: the count of all further
    words."""

    values: tuple[str, ...]
    counts: tuple[int, ...]
    others: int

    def to_json(self) -> dict[str, Any]:
        return {"values": list(self.values), "counts": list(self.counts), "others": self.others}


def shape(column: Column) -> NumberHistogram | WordCounts | None:
    """The histogram of a column; None if all cells are missing."""
    values = column.numbers if column.numbers is not None else column.seconds
    if values is None or column.boolean:
        return _words(column)
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
        if not np.isfinite(high - low):
            return None
        counts_B, edges = np.histogram(finite, bins=BINS, range=(low, high))
    unit: Literal["numbers", "dates", "times"] = (
        "numbers" if column.seconds is None else "times" if column.clock else "dates"
    )
    return NumberHistogram(tuple(edges.tolist()), tuple(counts_B.tolist()), unit)


def _words(column: Column) -> WordCounts | None:
    words = column.words
    if words is None:
        return None
    present = words[words != ""].astype(str)
    if not len(present):
        return None
    distinct, count = np.unique(present, return_counts=True)
    order = np.argsort(-count, kind="stable")
    first = order[:VALUES]
    return WordCounts(
        tuple(shorten(distinct[i], 24) for i in first),
        tuple(count[first].tolist()),
        int(count[order[VALUES:]].sum()),
    )
