"""A few hundred rows of a training with their labels: whether the ones tell anything of the others."""

from dataclasses import dataclass, field

import numpy as np

ROWS, LEAST, COLUMNS = 512, 100, 256
CLASSES = 50  # more different labels than these are numbers rather than classes
LUCK = 3.0  # standard deviations


@dataclass(eq=False)
class Pairs:
    """Rows [N, D] and labels [N] as training was given them, of its first epoch."""

    rows: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return self.count >= ROWS

    def add(self, rows_ND: np.ndarray, labels_N: np.ndarray) -> None:
        """A batch, or as many of its rows as are still wanted, from all over it."""
        step = -(-len(rows_ND) // (ROWS - self.count))
        kept = rows_ND[::step, :: -(-rows_ND.shape[1] // COLUMNS)]
        if not self.rows or self.rows[0].shape[1] == kept.shape[1]:
            self.rows.append(kept.astype(np.float64))
            self.labels.append(labels_N[::step].astype(np.float64))
            self.count += len(kept)

    def unrelated(self) -> bool:
        """Whether neither a row's nearest neighbour nor a plane through all rows knows more of its label than
        luck does.
        """
        if self.count < LEAST:
            return False
        x_ND, y_N = np.concatenate(self.rows), np.concatenate(self.labels)
        x_ND, first = np.unique(x_ND, axis=0, return_index=True)  # a row that comes twice knows its own label
        y_N = y_N[first]
        if len(y_N) < LEAST or not (np.isfinite(x_ND).all() and np.isfinite(y_N).all()) or np.ptp(y_N) == 0:
            return False
        x_ND = x_ND - x_ND.mean(0)
        x_ND /= np.maximum(x_ND.std(0), 1e-12)
        classes = np.unique(y_N)
        whole = len(classes) <= CLASSES
        y_NC = (y_N[:, None] == classes) if whole else y_N[:, None]
        y_NC = y_NC - y_NC.mean(0)
        return _neighbours(x_ND, y_NC) < LUCK and _plane(x_ND, y_NC) < LUCK


def _neighbours(x_ND: np.ndarray, y_NC: np.ndarray) -> float:
    """How many standard deviations of luck the labels of nearest neighbours are alike."""
    far = (x_ND**2).sum(1)[:, None] + (x_ND**2).sum(1) - 2 * x_ND @ x_ND.T
    np.fill_diagonal(far, np.inf)
    alike_NN = y_NC @ y_NC.T
    found = np.take_along_axis(alike_NN, far.argmin(1)[:, None], axis=1).mean()
    others = alike_NN[~np.eye(len(y_NC), dtype=bool)]
    spread = others.std() * np.sqrt(2 / len(y_NC))  # pairs of nearest neighbours come in both directions
    return float((found - others.mean()) / max(spread, 1e-12))


def _plane(x_ND: np.ndarray, y_NC: np.ndarray) -> float:
    """How many standard deviations of luck a fit by least squares, along main directions, is beyond it."""
    n = len(x_ND)
    directions, sizes, _ = np.linalg.svd(x_ND, full_matrices=False)
    d = min(int((sizes > 1e-9 * sizes[0]).sum()), n // 5)
    share = float(((directions[:, :d].T @ y_NC) ** 2).sum() / (y_NC**2).sum())
    free = n - 1
    spread = np.sqrt(2 * d * (free - d) / (free**2 * (free + 2)))  # of a beta(d/2, (n-1-d)/2), one column
    return float((share - d / free) / spread)
