"""Folds of a k-fold cross-validation, the same as scikit-learn's."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.data.splits import TEST, TRAIN, VALIDATION, split
from treino.errors import TreinoError
from treino.words import _


@dataclass(frozen=True)
class Fold:
    """number: from 0. of: how many there are."""

    number: int
    of: int


def split_fold(
    fold: Fold,
    first_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    classes: bool,
    validation: float,
    data_seed: int,
) -> NDArray[np.int64]:
    """``[N]``: TEST for the fold's rows; TRAIN or VALIDATION (a share of all rows) for the others.

    The folds are those of scikit-learn's ``StratifiedKFold(k, shuffle=True, random_state=data_seed)``, or of
    ``KFold`` where there are no classes; equal rows may fall into several. first_N: from ``first_equal``.

    Raises:
        TreinoError: more folds than rows, or nothing left to train on.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if fold.of > len(label_N):
        raise TreinoError(
            "folds_range",
            _("{k} folds of {n} rows: some would be empty.").format(k=fold.of, n=len(label_N)),
            _("Use fewer folds; 5 and 10 are usual."),
        )
    kind = StratifiedKFold if classes and np.bincount(label_N).max() >= fold.of else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes that are too rare to be in every fold
        made = kind(fold.of, shuffle=True, random_state=data_seed % 2**32)
        _rest, test_N = list(made.split(np.zeros(len(label_N)), label_N))[fold.number]
    part_N = np.full(len(label_N), TRAIN, dtype=np.int64)
    part_N[test_N] = TEST
    rest_N = np.flatnonzero(part_N == TRAIN)
    share = validation * len(label_N) / len(rest_N)
    if share >= 1:
        raise TreinoError(
            "shares_sum",
            _("{validation} for validation and one fold of {k} leave no rows to train on.").format(
                validation=validation, k=fold.of
            ),
            _("Use more folds, or a smaller [[validation]]."),
        )
    if share:
        place = {first: i for i, first in reversed(list(enumerate(first_N[rest_N].tolist())))}
        local_N = np.array([place[first] for first in first_N[rest_N].tolist()], dtype=np.int64)
        part_N[rest_N] = np.where(
            split(local_N, label_N[rest_N], share, 0.0, data_seed) == TRAIN, TRAIN, VALIDATION
        )
    return part_N
