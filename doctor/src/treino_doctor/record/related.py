"""Test whether rows are related to their labels."""

import numpy as np

MOST = 600  # maximum number of rows compared with each other
COLUMNS = 64
LEAST = 100  # minimum number of rows
RARE = 80  # rows outside the most common class; with fewer, a relation may not show
EACH = 8  # rows for each column; with fewer, a linear fit tells nothing
CHANCE = 2.0  # standard errors above chance


def loose_labels(rows_ND: np.ndarray, labels: np.ndarray) -> int:
    """Return the number of rows if neither the nearest other row nor a linear fit predicts labels better than
    chance; 0 if one does, or if there are too few rows to tell.
    """
    known = np.isfinite(labels)
    rows, labels = rows_ND[known], labels[known]
    if len(rows) < LEAST:
        return 0
    if len(rows) > MOST:
        step = len(rows) / MOST
        some = (np.arange(MOST) * step).astype(int)
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
    together = np.zeros(len(y))  # by row: the prediction of a fit on the other half, times the label
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
