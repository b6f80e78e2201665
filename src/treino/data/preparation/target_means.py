"""Make inputs of target means: the target's mean over the training rows with the same value in a column.

They help if a column's values identify something: the length of a route, a school's number, one of a
thousand names. Micci-Barreca 2001, ACM SIGKDD Explorations 3(1), 27-32.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDS = 10
PRIORS = (1.0, 3.0, 10.0, 30.0)
LEAST_GAIN = 0.02  # share of the target's variance that means must explain beyond what bins explain
MOST_CLASSES = 10  # maximum per target; with more, each column would add too many inputs


def repeats(key_T: NDArray[Any]) -> bool:
    """Whether means can predict: there are three values or more, and some rows share one. Where none do, a
    held-out mean is that of all other folds' rows, and no better than the overall mean."""
    return 3 <= len(np.unique(key_T)) < len(key_T)


@dataclass(frozen=True, eq=False)
class TargetFolds:
    """The data on which means are fitted: each training row's targets (with mean 0), fold and weight.

    A training row gets means over the rows of other folds, because its own target would leak into means over
    its own fold. Equal rows, or what a split by group or time never parts, are in one fold.

    first_answers: for each target those of ``TreeRows``, which are needed again once its trees are fitted.
    """

    target_TK: Floats
    fold_T: NDArray[np.int64]
    weight_T: Floats | None = None
    first_answers: dict[int, dict[int, Floats]] = field(default_factory=dict)

    def fit(
        self, key_T: NDArray[Any], bin_T: NDArray[np.int64]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """The known values, and what the operation ``Means`` holds of them; None if these values' means don't
        predict the other folds' targets clearly better than means of bins."""
        if not repeats(key_T):
            return None
        error, prior = min(self._errors(key_T))
        if not error < min(1.0, *(e for e, _prior in self._errors(bin_T))) - LEAST_GAIN:
            return None
        values, place_T = np.unique(key_T, return_inverse=True)
        count_L, sum_LK = self._sums(place_T, len(values))
        mean_LK = (sum_LK + prior * sum_LK.sum(0) / count_L.sum()) / (count_L[:, None] + prior)
        means = {"means": tuple(mean_LK.ravel().tolist()), "prior": prior, "count": mean_LK.shape[1]}
        return tuple(values.tolist()), means

    def held_out(self, key_T: NDArray[Any], prior: float) -> Floats:
        """``[T, K]``: for each row, the target means over the rows of other folds with the same value, and
        over ``prior`` more rows with the overall mean."""
        return self._held_out(key_T, [prior])[0]

    def _held_out(self, key_T: NDArray[Any], priors: Sequence[float]) -> list[Floats]:
        """``held_out`` for each of these priors, from one count of the values."""
        values, place_T = np.unique(key_T, return_inverse=True)
        cell_T = self.fold_T * len(values) + place_T
        count_FL, sum_FLK = self._sums(cell_T, FOLDS * len(values))
        count_FL, sum_FLK = count_FL.reshape(FOLDS, -1), sum_FLK.reshape(FOLDS, len(values), -1)
        count_FL, sum_FLK = count_FL.sum(0) - count_FL, sum_FLK.sum(0) - sum_FLK
        mean_FK = sum_FLK.sum(1) / np.maximum(count_FL.sum(1), np.finfo(float).tiny)[:, None]
        means = ((sum_FLK + prior * mean_FK[:, None]) / (count_FL[..., None] + prior) for prior in priors)
        return [np.asarray(mean_FLK[self.fold_T, place_T]) for mean_FLK in means]

    def _sums(self, place_T: NDArray[np.int64], places: int) -> tuple[Floats, Floats]:
        """The weight ``[L]`` of the rows at each place, and the sums ``[L, K]`` of their targets."""
        weight_T = np.ones(len(place_T)) if self.weight_T is None else self.weight_T
        sums = [np.bincount(place_T, weight_T * y_T, places) for y_T in self.target_TK.T]
        count_L = np.bincount(place_T, weight_T, places).astype(np.float64)
        return count_L, np.stack(sums, axis=1)

    def _errors(self, key_T: NDArray[Any]) -> list[tuple[float, float]]:
        """(error, prior) for each prior: the squared error of the held-out means, as a share of the targets'
        variance."""
        wrong = (np.square(mean_TK - self.target_TK).sum(1) for mean_TK in self._held_out(key_T, PRIORS))
        errors = (float(np.average(wrong_T, weights=self.weight_T)) / self._variance for wrong_T in wrong)
        return list(zip(errors, PRIORS, strict=True))

    @cached_property
    def _variance(self) -> float:
        """The targets' variance, and never 0."""
        variance = float(np.average(np.square(self.target_TK).sum(1), weights=self.weight_T))
        return max(variance, np.finfo(float).tiny)
