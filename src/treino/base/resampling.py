"""The bootstrap, and macro F1 and AUC of weighted rows (rows that count several times or in part)."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot, pad

from treino.base.beta import t_point

Floats = NDArray[np.float64]

Scores = Callable[[Tensor | None], Tensor]
"""A function from the rows' counts or weights ``count_BN`` (float64) to scores ``[B, M]``; from None (each
row counts once) to ``[M]``."""

LEVEL = 0.95
IN_CACHE = 250_000  # numbers
AT_ONCE = 2_000_000  # numbers in the one-hot tables of one matrix product


def row_counts(
    rows: int,
    resamples: int,
    draw: Callable[[tuple[int, int]], NDArray[np.int64]],
    block: int | None = None,
    group_N: NDArray[np.int64] | None = None,
) -> Iterator[Floats]:
    """Yield blocks ``count_BN`` of bootstrap resamples (Efron 1979): how often each of N rows is drawn with
    replacement.

    draw: returns random integers from 0 to N - 1 in the given shape. block: resamples per block; default: as
    many as fit into the CPU's cache. Blocks are drawn lazily, so that a caller can use the same generator in
    between. group_N: numbers from 0 of groups of rows; ``rows`` then counts groups, which are drawn whole.
    """
    block = block or max(1, IN_CACHE // rows)
    for first in range(0, resamples, block):
        lines = min(block, resamples - first)
        place_BN = draw((lines, rows)) + np.arange(lines)[:, None] * rows
        count = np.bincount(place_BN.ravel(), minlength=lines * rows)
        count_BN = count.reshape(lines, rows).astype(np.float64)
        yield count_BN if group_N is None else count_BN[:, group_N]


def weights_or_ones(weight_N: Tensor | None, rows: int) -> Floats:
    """The weights of rows as float64; all 1 if ``weight_N`` is None."""
    return np.ones(rows) if weight_N is None else weight_N.double().cpu().numpy()


def as_counts(weight_N: Floats) -> Floats:
    """Weights as counts of rows: whole numbers unchanged, other weights scaled to a mean of 1."""
    return weight_N if (weight_N == np.floor(weight_N)).all() else weight_N / weight_N.mean()


def groups_of(group: Tensor | None) -> NDArray[np.int64] | None:
    """``[N]``: the groups' numbers from 0; None if no two rows are of one group."""
    if group is None:
        return None
    known, group_N = np.unique(group.cpu().numpy(), return_inverse=True)
    return None if len(known) == len(group_N) else group_N.reshape(-1)


def effective_rows(
    weight_N: Floats, group_N: NDArray[np.int64] | None = None, right_N: NDArray[np.bool_] | None = None
) -> float:
    """The effective sample size, as a number of rows of equal weight: (Σ w)² / Σ w² (Kish 1965).

    group_N: groups of rows that are alike, by their numbers from 0; groups count then. right_N: the share of
    these rows is to be told; if rows of a group differ, they count for more than one (Korn & Graubard 1998).
    """
    share_N = weight_N / weight_N.max()
    rows = float(share_N.sum() ** 2 / np.square(share_N).sum())
    if group_N is None:
        return rows
    share_G = np.bincount(group_N, share_N)
    groups, count = float(share_G.sum() ** 2 / np.square(share_G).sum()), len(share_G)
    if right_N is None or count < 2 or right_N.all() or not right_N.any():
        return groups
    right = float(np.average(right_N, weights=weight_N))
    apart_G = np.bincount(group_N, share_N * (right_N - right))
    variance = float(np.square(apart_G).sum()) / share_G.sum() ** 2 * count / (count - 1)
    widened = t_point((1 + LEVEL) / 2, 1e9) / t_point((1 + LEVEL) / 2, count - 1)
    told = right * (1 - right) / variance * widened**2 if variance else groups
    return float(min(max(told, 1.0), rows))


def percentile_interval(value_B: Floats, tail: float = (1 - LEVEL) / 2) -> tuple[float, float]:
    """The interval of the resampled values after the share ``tail`` is cut off at each end."""
    low, high = np.quantile(value_B, [tail, 1 - tail])
    return float(low), float(high)


def of_weighted(scores: Scores, weight_N: Tensor | None) -> Scores:
    """The scores of weighted rows, as a function of the rows' counts."""
    if weight_N is None:
        return scores
    weight_1N = weight_N.double().unsqueeze(0)
    return lambda count_BN: scores(weight_1N)[0] if count_BN is None else scores(count_BN * weight_1N)


def f1_macro(guess_MN: Tensor, y_N: Tensor, classes: int, weight_MN: Tensor | None = None) -> Tensor:
    """Macro F1 of M networks: the mean of 2 TP / (predicted + true) over the classes that occur.

    weight_MN: each row's weight, for each network.
    """
    weight_MN = torch.ones_like(guess_MN) if weight_MN is None else weight_MN
    first_M1 = torch.arange(len(guess_MN)).unsqueeze(1) * classes
    right_MN = guess_MN == y_N
    guessed, true, right = (
        torch.bincount(place.reshape(-1), weight.reshape(-1), minlength=len(guess_MN) * classes)
        for place, weight in (
            (guess_MN + first_M1, weight_MN),
            (y_N + first_M1, weight_MN),
            (guess_MN + first_M1, weight_MN * right_MN),
        )
    )
    total, right = (guessed + true).view(-1, classes), right.view(-1, classes)
    return (2 * right / torch.where(total > 0, total, 1.0)).sum(-1) / (total > 0).sum(-1)


def auc(score_MN: Tensor, y_N: Tensor, weight_MN: Tensor | None = None) -> Tensor:
    """Area under the ROC curve of M networks' scores of class 1; NaN if a class has no row.

    It is the probability that a row of class 1 scores above one of class 0; ties count half (Mann & Whitney).
    Also NaN for networks with a score that isn't finite. weight_MN: each row's weight, for each network.
    """
    score_MN = score_MN.contiguous()
    sorted_MN, order_MN = score_MN.sort(-1)
    score_MK = score_MN[:, y_N == 1]
    below_MK, upto_MK = (torch.searchsorted(sorted_MN, score_MK, right=right) for right in (False, True))
    if weight_MN is None:
        ranks = (below_MK + upto_MK + 1).double().sum(-1) / 2  # from 1; ties share their mean rank
        positive, rows = score_MK.shape[1], len(y_N)
        area = (ranks - positive * (positive + 1) / 2) / (positive * (rows - positive))
    else:
        before_MN = torch.zeros(len(score_MN), len(y_N) + 1, dtype=weight_MN.dtype)
        before_MN[:, 1:] = weight_MN.gather(1, order_MN).cumsum(-1)
        weight_MK = weight_MN[:, y_N == 1]
        ranks = weight_MK * (before_MN.gather(1, below_MK) + before_MN.gather(1, upto_MK)) / 2
        positive_M, total_M = weight_MK.sum(-1), before_MN[:, -1]
        area = (ranks.sum(-1) - positive_M**2 / 2) / (positive_M * (total_M - positive_M))
    return torch.where(score_MN.isfinite().all(-1), area, torch.nan)


def f1_scores(guess_MN: Tensor, y_N: Tensor, classes: int = 0) -> Scores:
    """Return a function from the rows' counts or weights to their ``f1_macro``.

    classes: the least number of classes; classes that never occur may change the sum's last digit.
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
        some = torch.where(total > 0, total, 1.0)
        score_BM: Tensor = (2 * right.double() / some).sum(-1) / (total > 0).sum(-1)
        return score_BM

    return scores


def auc_scores(score_MN: Tensor, y_N: Tensor) -> Scores:
    """Return a function from the rows' counts or weights to their ``auc``."""
    score_MN, positive_N = score_MN.contiguous(), y_N == 1
    sorted_MN, order_MN = score_MN.sort(-1)
    score_MK = score_MN[:, positive_N]
    below_MK, upto_MK = (torch.searchsorted(sorted_MN, score_MK, right=right) for right in (False, True))

    def scores(count_BN: Tensor | None) -> Tensor:
        if count_BN is None:
            return auc(score_MN, y_N)
        count_NB = count_BN.T.contiguous()  # indexing whole lines is several times as fast
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
