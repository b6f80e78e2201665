"""Test whether rows are related to their labels, or hold them."""

import math
from typing import Any

from treino_doctor.record.arrays import np

MOST = 600  # maximum number of rows compared with each other
COLUMNS = 64
LEAST = 100  # minimum number of rows
RARE = 80  # rows outside the most common class; with fewer, a relation may not show
EACH = 8  # rows for each column; with fewer, a linear fit is no evidence
CHANCE = 2.0  # standard errors above chance
LABELLED = 0.9  # minimum share of a sample's rows whose label is known
BEGIN = 48  # minimum number of rows before a column may be taken for the label
PAIRS = 200  # maximum number of distinct labels of classes
SURE = 30.0  # minimum logarithm of the number of ways to arrange the labels, so that no column fits by chance
EXACT = 1e-5  # times the labels' range: rounding error
FEW = 2, 0.1  # columns, and share of the columns, that may be the label; more: a series' windows
HALF, CLASSES = 0.5, 10  # share of a column's values; with more labels than this, they count as numbers
TOLD = 4.5  # standard errors: below this, no other column predicts the label, as in a copying task


def loose_labels(rows_ND: np.ndarray, labels: np.ndarray) -> int:
    """Return the number of rows if neither the nearest other row nor a linear fit predicts labels better than
    chance; 0 if one does, or if there are too few rows to tell.
    """
    known = np.isfinite(labels)
    rows, labels = rows_ND[known], labels[known]
    if len(rows) < LEAST:
        return 0
    if len(rows) > MOST:
        some = (np.arange(MOST) * (len(rows) / MOST)).astype(int)
        rows, labels = rows[some], labels[some]
    values, y = np.unique(labels, return_inverse=True)
    spread = rows.std(axis=0)
    x = (rows[:, spread > 0] / spread[spread > 0]).astype(np.float64)
    rare = len(y) - int(np.bincount(y, minlength=1).max())
    if not 2 <= len(values) <= len(rows) // 10 or not x.shape[1] or rare < RARE:
        return 0
    alike = float((np.bincount(y) ** 2).sum()) / len(y) ** 2  # the chance that two random rows share a label
    squares = (x**2).sum(1)[:, None] + (x**2).sum(1)[None] - 2 * x @ x.T
    np.fill_diagonal(squares, np.inf)
    beyond = alike + CHANCE * np.sqrt(alike * (1 - alike) / len(y))
    if (y[squares.argmin(1)] == y).mean() > min(beyond, 0.99):
        return 0
    half = np.arange(len(x)) % 2 == 0
    few = x[:, :: -(-x.shape[1] // COLUMNS)]
    if len(x) < EACH * few.shape[1]:
        return 0
    few = few - few.mean(0)
    goal = np.eye(len(values))[y] - np.bincount(y) / len(y)
    together = np.zeros(len(y))  # for each row: the prediction of a fit on the other half, times the label
    for fit, test in ((half, ~half), (~half, half)):
        gram = few[fit].T @ few[fit] + np.eye(few.shape[1])
        prediction = few[test] @ np.linalg.solve(gram, few[fit].T @ goal[fit])
        together[test] = ((prediction - prediction.mean(0)) * goal[test]).sum(1)
    if together.mean() > CHANCE * together.std() / np.sqrt(len(y)):
        return 0
    return len(rows)


def strongest(rows_ND: np.ndarray) -> float:
    """The largest absolute correlation between two columns."""
    x = rows_ND[:MOST, :: -(-rows_ND.shape[1] // COLUMNS)].astype(np.float64)
    x = x[:, x.std(0) > 0]
    if x.shape[1] < 2 or len(x) < 40:
        return 0.0
    related = np.abs(np.corrcoef(x.T))
    np.fill_diagonal(related, 0)
    return float(np.nan_to_num(related).max())


class LabelColumns:
    """Columns of the inputs that have been the label, or one-to-one with it, in all rows added so far.

    columns: their indices, None until enough rows are known. rows: number of rows.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.columns: list[int] | None = None
        self._early: list[tuple[np.ndarray, np.ndarray]] = []
        self._pairs: dict[int, np.ndarray] = {}  # column -> distinct (value, label), sorted

    def add(self, rows_ND: np.ndarray, labels_N: np.ndarray) -> None:
        """Add rows with their labels; rows without labels don't count."""
        if self.columns == [] or not len(rows_ND) or not bool(np.isfinite(labels_N).all()):
            return
        self.rows += len(rows_ND)
        if self.columns is None:
            self._early.append((rows_ND, labels_N))
            if self.rows < BEGIN:
                return
            early, self._early = [(x, y) for x, y in self._early if x.shape[1] == rows_ND.shape[1]], []
            rows_ND, labels_N = (np.concatenate(part) for part in zip(*early, strict=True))
            first_ND, first_N = rows_ND[:BEGIN], labels_N[:BEGIN]
            some = steady(first_ND, first_N)
            self.columns = [j for j in some if one_to_one(pairs_of(first_ND[:, j], first_N))]
        self.columns = [j for j in self.columns if self._fits(j, rows_ND[:, j], labels_N)]

    def _fits(self, column: int, values_N: np.ndarray, labels_N: np.ndarray) -> bool:
        """Whether a column is still one-to-one with the labels, and, if these are many, linear in them."""
        pairs = pairs_of(values_N, labels_N, self._pairs.get(column))
        many = len(pairs) > PAIRS
        self._pairs[column] = pairs[[0, -1]] if many else pairs
        return on_a_line(pairs) if many else one_to_one(pairs)

    def label_column(self, sample_ND: np.ndarray, labels_N: np.ndarray) -> int:
        """The column that holds the label; -1 unless one certainly does. sample_ND: some of the rows."""
        if not self.columns or len(sample_ND) < BEGIN or len(sample_ND) != len(labels_N):
            return -1
        labelled = np.isfinite(labels_N)
        if labelled.mean() < LABELLED or int(labelled.sum()) < BEGIN:
            return -1
        x, labels_N = sample_ND[labelled].astype(np.float64), labels_N[labelled]
        moving = np.flatnonzero(x.std(0) > 0)
        if len(self.columns) > max(FEW[0], FEW[1] * len(moving)) or len(moving) < 2 * len(self.columns):
            return -1
        one, others = self.columns[0], [int(j) for j in moving if j not in self.columns]
        values, counts = np.unique(labels_N, return_counts=True)
        if len(values) * EACH > len(x) and not on_a_line(self._pairs[one]):
            return -1  # measured numbers are one-to-one with anything
        ways = math.lgamma(len(x) + 1) - sum(math.lgamma(int(n) + 1) for n in counts)
        correlations: Any = np.corrcoef(x[:, [one, *others]].T)
        related = np.abs(correlations[0, 1:]).max()
        again = max(np.isin(x[:, one], x[:, j]).mean() for j in others)
        series = again > HALF if len(values) > CLASSES else all(alike(x[:, one], x[:, j]) for j in others)
        return int(one) if ways > SURE and related * math.sqrt(len(x)) > TOLD and not series else -1


def alike(one_N: np.ndarray, other_N: np.ndarray) -> bool:
    """Whether two columns have the same values equally often, as lags of one series do."""
    apart = abs(one_N.mean() - other_N.mean())
    same = len(np.setxor1d(one_N, other_N)) == 0
    return same and bool(apart < TOLD * one_N.std() * math.sqrt(2 / len(one_N)))


def pairs_of(values_N: np.ndarray, labels_N: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """[P, 2]: the distinct pairs of a value and a label, sorted, merged with the known pairs."""
    pairs = np.stack([values_N.astype(np.float64), labels_N], axis=1)
    return np.unique(pairs if known is None else np.concatenate([known, pairs]), axis=0)


def steady(rows_ND: np.ndarray, labels_N: np.ndarray) -> list[int]:
    """The columns whose values are equal, up to rounding, in rows with equal labels: a quick first choice."""
    order = np.argsort(labels_N, kind="stable")
    alike = np.diff(labels_N[order]) == 0
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        steps_ND = np.abs(np.diff(rows_ND[order].astype(np.float64), axis=0))[alike]
        least_D = (steps_ND <= 3 * EXACT * np.ptp(rows_ND, axis=0)).all(0)
    return [int(j) for j in np.flatnonzero(least_D)]


def one_to_one(pairs: np.ndarray) -> bool:
    """Whether each value has one label and each label one value, or all lie on a line."""
    distinct = {len(np.unique(side)) for side in pairs.T} | {len(pairs)}
    return len(pairs) > 1 and (len(distinct) == 1 or on_a_line(pairs))


def on_a_line(pairs: np.ndarray) -> bool:
    """Whether labels equal the values up to a factor, an offset and rounding."""
    (low, start), (high, end) = pairs[0], pairs[-1]
    if high == low or end == start:
        return False
    line = start + (pairs[:, 0] - low) * (end - start) / (high - low)
    return bool((np.abs(line - pairs[:, 1]) <= EXACT * abs(end - start)).all())
