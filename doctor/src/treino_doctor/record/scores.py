"""Record scores of columns by their relation to a target; detect that the best columns were selected."""

from collections.abc import Iterator
from math import comb
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.lines import here

FEW = 20  # fewer rows, or fewer distinct rows, are no evidence
KEPT = 8_000_000  # maximum number of entries in all scored columns together
WHOLE = 1000  # maximum number of columns that are all compared with each other
MANY = 2  # minimum ratio of scored to selected columns
CHANCE = 1000  # minimum number of possible selections of that many columns
VALUES = 8  # values compared to find a column among the scored ones


class Scores:
    """All scores of columns in a program. any: whether there are scores."""

    def __init__(self) -> None:
        self._room = KEPT
        self._numbers: dict[bytes, bytes] = {}  # each column, stored once
        # (line, kind, rows) -> (column, target) -> score
        self._pairs: dict[tuple[Site, str, int], dict[tuple[bytes, bytes], float]] = {}

    @property
    def any(self) -> bool:
        """Whether columns were scored."""
        return bool(self._pairs)

    def scored(self, kind: str, x: Any, y: Any, scores: Any) -> None:
        """Remember columns [N] or [N, M], their target [N] and their M scores.

        y: None if the columns were all compared with each other, and the target may be any of them.
        """
        columns, site = np.asarray(x), here()
        if site is None or columns.ndim not in (1, 2) or columns.dtype.kind not in "fiub":
            return
        if self._room < 0 or len(columns) < FEW or (y is not None and np.shape(y) != columns.shape[:1]):
            return
        target = b"" if y is None else self._kept(np.asarray(y))
        rows = [columns] if columns.ndim == 1 else list(columns.T)
        values = [0.0] * len(rows) if y is None else np.ravel(scores).tolist()
        if len(values) == len(rows):
            known = self._pairs.setdefault((site, kind, len(columns)), {})
            known.update(((self._kept(c), target), s) for c, s in zip(rows, values, strict=True))
        if self._room < 0:  # the columns don't all fit
            self._pairs, self._numbers = {}, {}

    def compared(self, kind: str, columns_NM: Any, result: Any) -> None:
        """Remember columns that were all compared with each other; of two, one may be the other's target."""
        if columns_NM.ndim == 2 and columns_NM.shape[1] == 2:
            self.scored(kind, columns_NM[:, 0], columns_NM[:, 1], result[0][1])
        elif columns_NM.ndim == 2 and columns_NM.shape[1] <= WHOLE:
            self.scored(kind, columns_NM, None, None)

    def _kept(self, column_N: np.ndarray) -> bytes:
        """A column's numbers, the same object for equal ones; text is replaced by numbers for its values."""
        if column_N.dtype.kind not in "fiub":
            column_N = np.unique(column_N.astype(str), return_inverse=True)[1]
        numbers = column_N.astype(np.float32).tobytes()
        if numbers not in self._numbers:
            self._room -= len(column_N)
            self._numbers[numbers] = numbers
        return self._numbers[numbers]

    def _tables(self) -> Iterator[tuple[Site, str, int, bytes, dict[bytes, float]]]:
        """Yield (line, kind, rows, target, the score of each column)."""
        for (site, kind, n), pairs in self._pairs.items():
            for side in (1, 0):  # the target may be the second of each pair, or the first
                tables: dict[bytes, dict[bytes, float]] = {}
                for pair, score in pairs.items():
                    tables.setdefault(pair[side], {})[pair[1 - side]] = score
                for target, scores in tables.items():
                    scores.pop(target, None)
                    if len(scores) > 1 and (target or side):
                        yield site, kind, n, target, scores

    def taken(self, rows_NK: np.ndarray) -> Iterator[tuple[Site, str, np.ndarray, np.ndarray, Any]]:
        """Yield the scores by which the columns of these rows are the best ones.

        Yields (line, kind, the selected columns of the scored rows, all columns of them, columns of which one
        must be the target; None if the target is known).
        """
        for site, kind, n, target, scores in self._tables() if rows_NK.size else ():
            total, width = len(scores), rows_NK.shape[1]
            if total < MANY * width or comb(total, width) < CHANCE:
                continue
            columns = np.frombuffer(b"".join(scores), np.float32).reshape(total, n)
            at = places(rows_NK, columns)
            if len(set(at)) < width:
                continue
            some, every = np.ascontiguousarray(columns[at].T), np.ascontiguousarray(columns.T)
            if target:
                if best(np.fromiter(scores.values(), np.float64, total), at):
                    yield site, kind, some, every, None
            else:
                others = [i for i in range(total) if i not in set(at)]
                with np.errstate(all="ignore"):
                    sizes: np.ndarray = np.asarray(np.corrcoef(columns))
                sizes[range(total), range(total)] = np.nan  # no column is compared with itself
                targets = [columns[i] for i in others if best(sizes[i], at)]
                if targets:
                    yield site, kind, some, every, targets


def places(rows_NK: np.ndarray, columns_MN: np.ndarray) -> list[int]:
    """For each column of some rows, the index of the column with its values; [] if one has none."""
    found: list[int] = []
    for column in rows_NK.T:
        likely, values = np.arange(len(columns_MN)), np.unique(column)
        for value in values[:: -(-len(values) // VALUES)]:
            likely = likely[(columns_MN[likely] == value).any(1)]
        if not len(likely):
            return []
        off = np.abs(columns_MN[likely].mean(1) - column.mean())
        found.append(int(likely[np.nan_to_num(off, nan=np.inf).argmin()]))
    return found


def best(scores_M: np.ndarray, at: list[int]) -> bool:
    """Whether these columns have the highest scores, by value or by absolute value."""
    taken = np.zeros(len(scores_M), bool)
    taken[at] = True
    signed = np.nan_to_num(scores_M, nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    sizes = np.nan_to_num(np.abs(scores_M), nan=-np.inf, posinf=np.inf)
    return any(s[taken].min() > max(0.0, s[~taken].max()) for s in (sizes, signed, -signed))
