"""Figures of each column of the rows that a net was given."""

from dataclasses import dataclass, field

import numpy as np

MEASURED = 512  # columns whose mean and deviation are followed at most
MOST_VALUES = 100_000  # of a series
TOGETHER = 512  # rows that are added up at once


@dataclass
class Columns:
    """Sums over distinct rows: what a scaling leaves exact."""

    n: int = 0
    sums: np.ndarray | None = None
    squares: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    waiting: list[np.ndarray] = field(default_factory=list)  # rows that are not added yet
    values: np.ndarray | None = None  # distinct ones, where rows are windows of one series

    def add(self, rows_ND: np.ndarray) -> None:
        """More rows; of another width, or too many columns, they are passed over."""
        if not len(rows_ND) or rows_ND.shape[1] > MEASURED:
            return
        if self.waiting and self.waiting[0].shape[1] != rows_ND.shape[1]:
            self.settle()
        self.waiting.append(rows_ND.astype(np.float64))
        if sum(map(len, self.waiting)) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Add up what waits."""
        if not self.waiting:
            return
        rows = np.concatenate(self.waiting)
        self.waiting.clear()
        if self.sums is None and _overlap(rows):
            self.values = np.unique(rows)
        elif self.values is not None and len(self.values) < MOST_VALUES:
            self.values = np.union1d(self.values, rows)
        squares = np.einsum("nd,nd->d", rows, rows)
        if self.sums is None or self.squares is None or self.low is None or self.high is None:
            self.sums, self.squares = rows.sum(axis=0), squares
            self.low, self.high = rows.min(axis=0), rows.max(axis=0)
        elif self.sums.shape != rows.shape[1:]:
            return
        else:
            self.sums = self.sums + rows.sum(axis=0)
            self.squares = self.squares + squares
            self.low = np.minimum(self.low, rows.min(axis=0))
            self.high = np.maximum(self.high, rows.max(axis=0))
        self.n += len(rows)

    def __add__(self, other: "Columns") -> "Columns":
        both = Columns(self.n, self.sums, self.squares, self.low, self.high)
        if self.values is not None and other.values is not None:
            both.values = np.union1d(self.values, other.values)
        if self.sums is None or other.sums is None or self.sums.shape != other.sums.shape:
            return both
        both.n = self.n + other.n
        both.sums, both.squares = self.sums + other.sums, self.squares + other.squares  # type: ignore[operator]
        both.low = np.minimum(self.low, other.low)  # type: ignore[arg-type]
        both.high = np.maximum(self.high, other.high)  # type: ignore[arg-type]
        return both

    def mean(self) -> np.ndarray:
        """[D]"""
        return np.asarray(self.sums) / self.n

    def variance(self) -> np.ndarray:
        """[D] with n in the denominator."""
        return np.asarray(np.maximum(np.asarray(self.squares) / self.n - self.mean() ** 2, 0))


def _overlap(rows_ND: np.ndarray) -> bool:
    """Whether rows are windows of a series: the same real numbers stand in one column after the other."""
    some = rows_ND[:128, :16]
    n, width = some.shape
    distinct = len(np.unique(some)) if n >= 32 and width >= 4 else 0
    return bool(n <= distinct < 0.97 * some.size and len(np.unique(some[:, 0])) > 0.9 * n)
