"""Paired statistical tests of two networks on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treino.resampling import percentile_interval, row_counts

RESAMPLES = 4000
SURE = 0.05  # p-value below which a difference counts as significant

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairedTest:
    """The result of a paired test.

    a, b: the figures of both networks on the same ``rows``. p: the probability of such a difference by
    chance. metric: ``accuracy`` (higher is better) or ``rmse``. only_a, only_b: rows that only one of them
    gets right. interval: the 95 % interval of the difference b - a of an rmse.
    """

    metric: str
    a: float
    b: float
    rows: int
    p: float
    only_a: int = 0
    only_b: int = 0
    interval: tuple[float, float] | None = None


def paired_classes(right_a_N: NDArray[np.bool_], right_b_N: NDArray[np.bool_]) -> PairedTest:
    """McNemar's exact test: only rows on which the networks disagree count, and chance splits them in half.

    McNemar 1947; recommended for two classifiers and one test set by Dietterich, "Approximate statistical
    tests for comparing supervised classification learning algorithms", Neural Computation 10 (1998).
    """
    from scipy.special import bdtr

    only_a, only_b = int((right_a_N & ~right_b_N).sum()), int((right_b_N & ~right_a_N).sum())
    differ, fewer = only_a + only_b, min(only_a, only_b)
    p = min(1.0, 2 * float(bdtr(fewer, differ, 0.5))) if differ else 1.0
    a, b = float(right_a_N.mean()), float(right_b_N.mean())
    return PairedTest("accuracy", a, b, len(right_a_N), p, only_a, only_b)


def paired_errors(error_a_N: Floats, error_b_N: Floats, seed: int = 0) -> PairedTest:
    """Test the difference of two rmse by the paired bootstrap, which draws the same rows for both.

    Efron & Tibshirani, "An introduction to the bootstrap" (1993), 16.4: p is twice the share of resamples
    on the wrong side of no difference.
    """
    square_N2 = np.stack([error_a_N**2, error_b_N**2], axis=1)
    rows = len(square_N2)
    a, b = (float(v) for v in np.sqrt(square_N2.mean(axis=0)))
    if rows < 2 or (error_a_N == error_b_N).all():  # no randomness
        return PairedTest("rmse", a, b, rows, 1.0)
    random = np.random.default_rng(seed)
    counts = row_counts(rows, RESAMPLES, lambda shape: random.integers(rows, size=shape))
    root_B2 = np.sqrt(np.concatenate([count_BN @ square_N2 for count_BN in counts]) / rows)
    difference_B = root_B2[:, 1] - root_B2[:, 0]
    above = (1 + (difference_B >= 0).sum()) / (RESAMPLES + 1)
    below = (1 + (difference_B <= 0).sum()) / (RESAMPLES + 1)
    p = min(1.0, float(2 * min(above, below)))
    return PairedTest("rmse", a, b, rows, p, interval=percentile_interval(difference_B))


def holm(p_K: Sequence[float]) -> list[float]:
    """p-values adjusted for K comparisons: the chance that any is below 5 % without a difference is 5 %.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979).
    """
    order = sorted(range(len(p_K)), key=lambda i: p_K[i])
    adjusted, largest = [0.0] * len(p_K), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_K) - rank) * p_K[i]))
        adjusted[i] = largest
    return adjusted
