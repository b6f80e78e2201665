"""Macro F1 and AUC of rows that count once or several times; the bootstrap, which draws rows again."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot, pad

Floats = NDArray[np.float64]

Scores = Callable[[Tensor | None], Tensor]
"""How often each row counts, ``count_BN``, float64 -> scores ``[B, M]``; None: each row once -> ``[M]``."""

LEVEL = 0.95
IN_CACHE = 250_000  # numbers
AT_ONCE = 2_000_000  # numbers of the tables of classes in one product


def row_counts(
    rows: int, resamples: int, draw: Callable[[tuple[int, int]], NDArray[np.int64]], block: int | None = None
) -> Iterator[Floats]:
    """``count_BN`` of the bootstrap (Efron 1979), some resamples at once: N of N rows, with replacement.

    draw: random places from 0 to N - 1, in an array of this shape. block: how many resamples at once;
    default: as many as stay in the cache. A block is drawn when it is asked for, so that a caller may draw
    something else with the same generator in between.
    """
    block = block or max(1, IN_CACHE // rows)
    for first in range(0, resamples, block):
        lines = min(block, resamples - first)
        place_BN = draw((lines, rows)) + np.arange(lines)[:, None] * rows
        count = np.bincount(place_BN.ravel(), minlength=lines * rows)
        yield count.reshape(lines, rows).astype(np.float64)


def percentile_interval(value_B: Floats, tail: float = (1 - LEVEL) / 2) -> tuple[float, float]:
    """Between which figures the resamples lie, but for this share of them at each end."""
    low, high = np.quantile(value_B, [tail, 1 - tail])
    return float(low), float(high)


def f1_macro(guess_MN: Tensor, y_N: Tensor, classes: int) -> Tensor:
    """Macro F1 of M networks' classes: 2 TP / (guessed + true), the mean over the classes that occur."""
    place_MN = guess_MN + torch.arange(len(guess_MN)).unsqueeze(1) * classes
    guessed, right = (
        torch.bincount(place, minlength=len(guess_MN) * classes).view(-1, classes)
        for place in (place_MN.reshape(-1), place_MN[guess_MN == y_N])
    )
    total = guessed + torch.bincount(y_N, minlength=classes)
    return (2 * right.double() / total.clamp(min=1)).sum(-1) / (total > 0).sum(-1)


def auc(score_MN: Tensor, y_N: Tensor) -> Tensor:
    """Area under the ROC curve of M networks' scores of class 1; NaN where a class has no row.

    The chance that a row of class 1 scores above one of class 0; ties count half (Mann & Whitney). NaN too
    where a score is not finite.
    """
    score_MN = score_MN.contiguous()
    sorted_MN, score_MK = score_MN.sort(-1).values, score_MN[:, y_N == 1]
    below_MK, upto_MK = (torch.searchsorted(sorted_MN, score_MK, right=right) for right in (False, True))
    ranks = (below_MK + upto_MK + 1).double().sum(-1) / 2  # from 1 on; ties share their mean
    positive, rows = score_MK.shape[1], len(y_N)
    area = (ranks - positive * (positive + 1) / 2) / (positive * (rows - positive))
    return torch.where(score_MN.isfinite().all(-1), area, torch.nan)


def f1_scores(guess_MN: Tensor, y_N: Tensor, classes: int = 0) -> Scores:
    """``f1_macro``, of rows that count several times.

    classes: how many there are at least; those that never occur may move the last digit of the sum.
    """
    classes = max(2, classes, int(guess_MN.max()) + 1, int(y_N.max()) + 1)
    guess_MN = guess_MN.long()

    def scores(count_BN: Tensor | None) -> Tensor:
        if count_BN is None:
            return f1_macro(guess_MN, y_N, classes)
        true_N1C = one_hot(y_N.long(), classes).double().unsqueeze(1)
        true = torch.tensordot(count_BN, true_N1C, 1)
        parts = []
        for some_MN in guess_MN.split(max(1, AT_ONCE // (len(y_N) * classes))):
            guess_NMC = one_hot(some_MN.T.contiguous(), classes).double()
            parts.append([torch.tensordot(count_BN, of, 1) for of in (guess_NMC, guess_NMC * true_N1C)])
        guessed, right = (torch.cat(part, 1) for part in zip(*parts, strict=True))
        total = guessed + true
        score_BM: Tensor = (2 * right.double() / total.clamp(min=1)).sum(-1) / (total > 0).sum(-1)
        return score_BM

    return scores


def auc_scores(score_MN: Tensor, y_N: Tensor) -> Scores:
    """``auc``, of rows that count several times."""
    score_MN, positive_N = score_MN.contiguous(), y_N == 1
    sorted_MN, order_MN = score_MN.sort(-1)
    score_MK = score_MN[:, positive_N]
    below_MK, upto_MK = (torch.searchsorted(sorted_MN, score_MK, right=right) for right in (False, True))

    def scores(count_BN: Tensor | None) -> Tensor:
        if count_BN is None:
            return auc(score_MN, y_N)
        count_NB = count_BN.T.contiguous()  # whole lines are picked, several times as fast
        count_KB = count_NB[positive_N]
        each = []
        for order_N, below_K, upto_K in zip(order_MN, below_MK, upto_MK, strict=True):
            before_NB = pad(count_NB[order_N].cumsum(0), (0, 0, 1, 0))
            each.append((count_KB * (before_NB[below_K] + before_NB[upto_K] + 1)).sum(0) / 2)
        ranks = torch.stack(each, 1)
        positive, rows = (of.sum(0).unsqueeze(1) for of in (count_KB, count_NB))
        area = (ranks - positive * (positive + 1) / 2) / (positive * (rows - positive))
        return torch.where(score_MN.isfinite().all(-1), area, torch.nan)

    return scores
