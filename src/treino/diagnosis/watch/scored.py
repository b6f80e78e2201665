"""What scikit-learn's scores are given: the labels of rows that a net was asked about, and what it said."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LEAST, LONGEST = 20, 1_000_000


@dataclass(frozen=True, eq=False)
class Scored:
    """One call of a score."""

    step: int  # steps of optimizers until then
    labels: np.ndarray  # [N]
    said: np.ndarray  # [N]


@dataclass(eq=False)
class Scores:
    """The newest scores that belong to no evaluation yet."""

    waiting: deque[Scored] = field(default_factory=lambda: deque(maxlen=64))

    def note(self, step: int, labels: Any, said: Any) -> None:
        """A score was asked for; what is no class for each row is passed over, and the same two twice."""
        true_N, said_N = _classes(labels), _classes(said)
        if true_N is None or said_N is None or true_N.shape != said_N.shape:
            return
        same = (s.step == step and np.array_equal(s.labels, true_N) for s in self.waiting)
        if not any(same):
            self.waiting.append(Scored(step, true_N, said_N))

    def take(self, step: int, rows: int) -> Scored | None:
        """The oldest score of so many rows, with no step since they were evaluated."""
        for scored in self.waiting:
            if scored.step == step and len(scored.labels) == rows:
                self.waiting.remove(scored)
                return scored
        return None


def _classes(given: Any) -> np.ndarray | None:
    """Whole numbers [N] of a list, an array, a tensor or a table's column."""
    values = np.asarray(given)
    plain = values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)
    if not plain or values.dtype.kind not in "iubf" or not LEAST <= len(values) <= LONGEST:
        return None
    values = values.reshape(-1)
    whole = values.dtype.kind != "f" or bool((np.isfinite(values) & (values == np.round(values))).all())
    return values.astype(np.int64) if whole else None
