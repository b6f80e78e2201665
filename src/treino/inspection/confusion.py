"""Confusion matrix: predicted against true classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from treino.data.dataset import Data
from treino.inspection.input_planes import Floats, Score, Split
from treino.inspection.outputs import outputs, predicted_classes
from treino.inspection.row_samples import ALL, held_out
from treino.inspection.wilson import wilson


@dataclass(frozen=True, eq=False)
class Confusion:
    """count_CC: ``[C, C]`` rows by true class (first axis) and predicted class.

    unsaid_C: rows of each class on which the outputs are not finite: no class is predicted.
    split: whose rows.
    """

    name: str
    classes: tuple[str, ...]
    count_CC: NDArray[np.int64]
    unsaid_C: NDArray[np.int64]
    split: Split

    @property
    def rows(self) -> int:
        return int(self.count_CC.sum() + self.unsaid_C.sum())

    @property
    def right(self) -> int:
        return int(np.trace(self.count_CC))

    @property
    def score(self) -> Score:
        """The accuracy with its 95 % interval (Wilson); none where a row has no answer."""
        if unanswered := int(self.unsaid_C.sum()):
            return Score(self.split, self.rows, unanswered=unanswered)
        share, interval = self.right / self.rows, wilson(self.right, self.rows)
        return Score(self.split, self.rows, share, self.right, interval)

    @property
    def share_CC(self) -> Floats:
        """``[C, C]``: the share of each true class's rows; NaN in the line of a class without rows."""
        total_C = (self.count_CC.sum(axis=1) + self.unsaid_C).astype(np.float64)
        return np.asarray(self.count_CC / np.where(total_C > 0, total_C, np.nan)[:, None])

    def pairs(self, most: int) -> list[tuple[int, int, int]]:
        """(true class, predicted class, rows) of what is mixed up, most rows first."""
        wrong_CC = self.count_CC - np.diag(np.diag(self.count_CC))
        order = np.argsort(-wrong_CC, axis=None, kind="stable")[:most]
        places = [np.unravel_index(flat, wrong_CC.shape) for flat in order]
        return [(int(t), int(p), int(wrong_CC[t, p])) for t, p in places if wrong_CC[t, p]]


def confusion(
    net: nn.Module,
    data: Data,
    *,
    splits: Sequence[Split] = ALL,
    item_shape: Sequence[int] | None = None,
) -> Confusion:
    """The table of true against predicted classes, on all test rows; on validation rows where there are none,
    else on training rows (scikit-learn's ``confusion_matrix``)."""
    split, rows = held_out(data, splits)
    out = outputs(net, rows.x, item_shape=item_shape)
    counts = answer_counts(rows.y.numpy(), predicted_classes(out).numpy(), len(data.classes))
    return Confusion(data.name, data.classes, *counts, split)


def answer_counts(
    true_N: NDArray[np.int64], predicted_N: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``count_CC`` and ``unsaid_C`` of a ``Confusion``; predicted_N: -1 where nothing is predicted."""
    known = predicted_N >= 0
    count_CC = np.bincount(true_N[known] * classes + predicted_N[known], minlength=classes * classes)
    return count_CC.reshape(classes, classes), np.bincount(true_N[~known], minlength=classes)
