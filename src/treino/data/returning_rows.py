"""Tell copies of a row, which stay on one side of a split, from rows that return by nature.

A copy on both sides is a leak. Rows of few classes, of ages, of the same persons again and again are equal as
well, but so will new rows be: a split that parts none of them asks for what never comes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.data.table import Numbers

LARGE_ROWS, LARGE_SHARE = 10, 0.05  # a group of more rows than both is no set of copies
OFTEN = 4  # rows of a group on average, if most of the rows return by nature
OTHER_ANSWERS = 0.1  # of the differences that chance would give; copies have the same answer


@dataclass(frozen=True, eq=False)
class EqualRows:
    """``[N]`` each: the first row that equals it, or almost; and the first of those that a split keeps on one
    side, which is the row itself if it returns by nature."""

    first_N: NDArray[np.int64]
    unit_N: NDArray[np.int64]

    def units(self, duplicates: str | None) -> NDArray[np.int64]:
        """``[N]``: what a split never parts, by the setting ``duplicates``."""
        if duplicates == "ignore":
            return np.arange(len(self.first_N))
        return self.first_N if duplicates == "apart" else self.unit_N

    @property
    def alone_N(self) -> NDArray[np.bool_]:
        """``[N]``: whether a row equals others and is kept with none of them."""
        of_first_N, of_unit_N = (np.bincount(of_N)[of_N] for of_N in (self.first_N, self.unit_N))
        return np.asarray((of_first_N > 1) & (of_unit_N == 1))

    @classmethod
    def of(
        cls,
        first_N: NDArray[np.int64],
        answer_N: NDArray[np.int64],
        columns: Iterable[Numbers] | None = None,
    ) -> "EqualRows":
        """The equal rows of a table. answer_N, columns: as for ``returning``."""
        return cls(first_N, np.where(returning(first_N, answer_N, columns), np.arange(len(first_N)), first_N))


def returning(
    first_N: NDArray[np.int64], answer_N: NDArray[np.int64], columns: Iterable[Numbers] | None = None
) -> NDArray[np.bool_]:
    """``[N]``: whether a row equals others by nature: in a large group of equal rows; in one that chance
    would make, as its cells occur in other rows too; and, where most rows return, and often, if their answers
    differ, for copies don't.

    first_N: the first equal row of each. answer_N: equal for rows of equal targets. columns: the features,
    each ``[N]``; None: chance makes none.
    """
    rows, size_N = len(first_N), np.bincount(first_N, minlength=len(first_N))[first_N]
    again_N = size_N > 1
    natural_N = (size_N >= LARGE_ROWS) & (size_N > LARGE_SHARE * rows)
    first_G = np.unique(first_N[again_N & ~natural_N])
    if columns is not None and len(first_G):
        group_N = np.zeros(rows, dtype=bool)
        group_N[first_G[by_chance(first_G, size_N[first_G], columns, rows)]] = True
        natural_N |= group_N[first_N]
    rest_N = again_N & ~natural_N
    later = np.flatnonzero(rest_N & (first_N != np.arange(rows)))
    often = rest_N.sum() >= OFTEN * len(np.unique(first_N[rest_N]))
    if often and 2 * rest_N.sum() > rows - natural_N.sum():
        share_A = np.bincount(answer_N[rest_N]) / rest_N.sum()
        differ = float((answer_N[later] != answer_N[first_N[later]]).mean())
        if differ > OTHER_ANSWERS * (1 - (share_A**2).sum()):
            natural_N |= rest_N
    return natural_N


def by_chance(
    first_G: NDArray[np.int64], size_G: NDArray[np.int64], columns: Iterable[Numbers], rows: int
) -> NDArray[np.bool_]:
    """``[G]``: whether a row equal to each group is to be expected among the other rows, if their columns
    were independent of each other. first_G: the first row of each group; size_G: its rows."""
    others_G = np.maximum(rows - size_G, 1)
    expected_G = others_G.astype(np.float64)
    for value_N in columns:
        _values, code_N, count_V = np.unique(value_N, return_inverse=True, return_counts=True)
        expected_G *= (count_V[code_N.reshape(-1)[first_G]] - size_G) / others_G
        if (expected_G < 1).all():
            break
    return np.asarray(expected_G >= 1)
