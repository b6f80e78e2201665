"""What columns held in the training rows, so that other rows can be compared with them: a few quantiles of
numbers, how often each class occurred, and how many cells were missing."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from treino.data.column_program import ColumnProgram
from treino.data.documents import ColumnRows
from treino.data.preparation.column_cells import read_cells
from treino.data.preparation.column_kinds import level_codes
from treino.data.preparation.fit_columns import hash_slot
from treino.data.preparation.interpreter import Floats
from treino.data.table import Column, RowPlace

QUANTILES = 65, 17  # numbers of a column that are kept, with its smallest and its largest; of many columns
MANY = 200  # columns
SAMPLED = 20_000  # rows that these, and the counts of classes, are of
BUCKETS = 64  # of a hash, by which the classes of a column with very many are counted
BY_CHANCE = 0.001  # below this chance, cells beyond the training rows' range are named

# ---- the training rows


def column_rows(program: ColumnProgram, column: Column, place: RowPlace, columns: int) -> ColumnRows:
    """What a column held. column: its training rows alone. columns: how many there are."""
    rows, absent = len(column), int(column.missing_N.sum())
    if (value_N := numbers_of(program, column, place)) is None:
        codes_N = codes_of(program, read_cells(program, column.take(_evenly(rows)), place))
        counts = np.bincount(codes_N[codes_N >= 0], minlength=count_of_classes(program))
        return ColumnRows(column=program.column, rows=rows, missing=absent, counts=tuple(counts.tolist()))
    return number_rows(program.column, value_N, columns)


def class_rows(name: str, label_N: NDArray[np.int64], classes: int) -> ColumnRows:
    """What a target's column of classes held. label_N: the codes of its training rows."""
    counts = np.bincount(label_N[_evenly(len(label_N))], minlength=classes)
    return ColumnRows(column=name, rows=len(label_N), counts=tuple(counts.tolist()))


def number_rows(name: str, value_N: Floats, columns: int) -> ColumnRows:
    """What a column of numbers held. value_N: those of its training rows, NaN where they are missing."""
    known = value_N[np.isfinite(value_N)]
    some = np.sort(known[_evenly(len(known))])
    absent = len(value_N) - len(known)
    if not len(some):
        return ColumnRows(column=name, rows=len(value_N), missing=absent)
    grid = np.unique(some[np.linspace(0, len(some) - 1, QUANTILES[columns > MANY]).astype(np.int64)])
    grid[0], grid[-1] = known.min(), known.max()
    counts = np.searchsorted(some, grid, side="right")
    return ColumnRows(
        column=name,
        rows=len(value_N),
        missing=absent,
        values=tuple(grid.tolist()),
        counts=tuple(counts.tolist()),
    )


def _evenly(rows: int) -> NDArray[np.int64]:
    return np.arange(rows) if rows <= SAMPLED else np.linspace(0, rows - 1, SAMPLED).astype(np.int64)


# ---- cells as the training rows' summary counts them


def numbers_of(program: ColumnProgram, column: Column, place: RowPlace) -> Floats | None:
    """``[N]``: the numbers of a column, the seconds of its dates or times, the lengths of its texts; None for
    classes."""
    if program.measure == "word":
        return None
    cells_N = read_cells(program, column, place)
    if program.measure == "length":
        return np.fromiter((len(word) or np.nan for word in cells_N), np.float64, len(cells_N))
    return cells_N


def codes_of(program: ColumnProgram, words_N: NDArray[np.object_]) -> NDArray[np.int64]:
    """``[N]``: which count of ``ColumnRows`` each class belongs to; -1 for missing and unknown ones."""
    if program.levels:
        return np.where(words_N == "", -1, level_codes(program.levels, words_N))
    bucket = {word: abs(hash_slot(program.column, word, BUCKETS)) - 1 for word in set(words_N) if word}
    return np.fromiter((bucket.get(word, -1) for word in words_N), np.int64, len(words_N))


def count_of_classes(program: ColumnProgram) -> int:
    """How many classes, or buckets of classes, are counted; 0 where the cells are no classes."""
    return 0 if program.measure != "word" else len(program.levels) or BUCKETS


# ---- rows outside of what the training rows held


class OutsideCells(NamedTuple):
    """Which cells ``[N]`` of a column lie outside of what its training rows held."""

    below_N: NDArray[np.bool_]
    above_N: NDArray[np.bool_]
    unknown_N: NDArray[np.bool_]
    gap_N: NDArray[np.bool_]

    @property
    def any_N(self) -> NDArray[np.bool_]:
        return np.asarray(self.below_N | self.above_N | self.unknown_N | self.gap_N)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """How many cells lie below, above, are of unknown classes, and are missing."""
        below, above, unknown, gaps = (int(cells_N.sum()) for cells_N in self)
        return below, above, unknown, gaps


def outside_cells(
    program: ColumnProgram, known: ColumnRows, column: Column, value_N: Floats | None
) -> OutsideCells:
    """The cells beyond the training rows' range, of a class that none had, or missing where none was.

    value_N: as ``numbers_of`` returns them.
    """
    none_N = np.zeros(len(column), dtype=bool)
    gap_N = none_N if known.missing else column.missing_N
    if value_N is not None:
        low, high = (known.values[0], known.values[-1]) if known.values else (-math.inf, math.inf)
        return OutsideCells(value_N < low, value_N > high, none_N, gap_N)
    if not program.levels:  # of hashed classes it isn't known which are new
        return OutsideCells(none_N, none_N, none_N, gap_N)
    words_N = read_cells(program, column, str)
    return OutsideCells(none_N, none_N, (codes_of(program, words_N) < 0) & (words_N != ""), gap_N)


def range_chance(beyond: int, rows: int, known: int) -> float:
    """The chance that at least so many of ``rows`` numbers lie beyond the largest (or the smallest) of
    ``known`` numbers, if all were drawn alike, in any order: (rows choose beyond) / (rows + known choose
    beyond), exactly."""
    if beyond <= 0:
        return 1.0

    def choose(n: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(n - beyond + 1)

    return math.exp(min(0.0, choose(rows) - choose(rows + known)))


def more_than_by_chance(cells: OutsideCells, known: ColumnRows) -> OutsideCells:
    """The cells without those beyond the range that chance explains: some of any new rows are."""
    rows, there = len(cells.gap_N), known.rows - known.missing
    below_N, above_N = (
        side_N if range_chance(int(side_N.sum()), rows, there) < BY_CHANCE else np.zeros_like(side_N)
        for side_N in (cells.below_N, cells.above_N)
    )
    return cells._replace(below_N=below_N, above_N=above_N)
