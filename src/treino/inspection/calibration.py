"""The reliability of probabilities: their calibration, and thresholds.

Expected calibration error: Guo, Pleiss, Sun & Weinberger 2017, https://arxiv.org/abs/1706.04599. Its
distribution under perfect calibration: Bröcker & Smith 2007, https://doi.org/10.1175/WAF993.1 ("consistency
resampling").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from treino.base.resampling import LEVEL
from treino.data.dataset import Data
from treino.engine.metrics import probabilities
from treino.inspection.input_planes import ALL, Split, held_out
from treino.inspection.outputs import outputs

# ---- calibration

BINS = 15  # number of bins of equal width, as in the paper
DRAWS, MOST_DRAWN = 400, 20_000_000
COST = re.compile(r"cost=(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration:
    """The differences between the probabilities of predicted classes and the shares of correct predictions.

    error: the expected calibration error, from 0 to 1. chance: the error that one in twenty perfectly
    calibrated networks exceeds on this number of rows. For each bin of the probability, confidence_B: its
    mean; right_B: the share of rows predicted correctly; low_B, high_B: the range of ``right_B`` for 95 % of
    perfectly calibrated networks; rows_B: the number of rows. Bins without rows are left out.
    """

    name: str
    split: Split
    error: float
    chance: float
    confidence_B: Floats
    right_B: Floats
    low_B: Floats
    high_B: Floats
    rows_B: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return int(self.rows_B.sum())


def calibration(
    net: nn.Module, data: Data, *, splits: Sequence[Split] = ALL, item_shape: Sequence[int] | None = None
) -> Calibration | None:
    """The calibration on all test rows, else validation rows, else training rows. None: no row has finite
    outputs."""
    split, rows = held_out(data, splits)
    share_NC = probabilities(outputs(net, rows.x, item_shape=item_shape)).double().numpy()
    return calibration_of(share_NC, rows.y.long().numpy(), data.name, split)


def calibration_of(
    share_NC: Floats, true_N: NDArray[np.int64], name: str = "", split: Split = "test"
) -> Calibration | None:
    """The calibration of probabilities. share_NC: each class's probability; rows with NaN are left out."""
    known_N = np.isfinite(share_NC).all(1)
    if not known_N.any():
        return None
    confidence_N = share_NC[known_N].max(1)
    right_N = share_NC[known_N].argmax(1) == true_N[known_N]
    bin_N = np.minimum((confidence_N * BINS).astype(int), BINS - 1)
    rows_B = np.bincount(bin_N, minlength=BINS)
    some = rows_B > 0
    mean_B = np.bincount(bin_N, confidence_N, BINS)[some] / rows_B[some]
    right_B = np.bincount(bin_N, right_N, BINS)[some] / rows_B[some]
    weight_B = rows_B[some] / len(bin_N)
    r, draws = np.random.RandomState(0), max(50, min(DRAWS, MOST_DRAWN // len(bin_N)))
    drawn_RB = np.stack(
        [
            np.bincount(bin_N, r.random_sample(len(bin_N)) < confidence_N, BINS)[some] / rows_B[some]
            for _draw in range(draws)
        ]
    )
    error_R = (np.abs(drawn_RB - mean_B) * weight_B).sum(1)
    low_B, high_B = np.quantile(drawn_RB, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    error = float((np.abs(right_B - mean_B) * weight_B).sum())
    chance = float(np.quantile(error_R, LEVEL))
    return Calibration(name, split, error, chance, mean_B, right_B, low_B, high_B, rows_B[some])


def cost_of(rule: str) -> tuple[float, float] | None:
    """Parse the costs of a false positive and a false negative from ``cost=FP:FN``; None for other rules."""
    match = COST.fullmatch(rule)
    return None if match is None else (float(match[1]), float(match[2]))


def threshold_of(
    share_N: Floats, positive_N: NDArray[np.bool_], rule: str, weight_N: Floats | None = None
) -> float | None:
    """The smallest probability at which the second class is predicted, chosen for least cost on these rows.

    share_N: the probability of the second class. positive_N: whether a row is of this class. rule: ``auto``
    (both classes' error rates count equally: balanced accuracy, as in scikit-learn's
    ``TunedThresholdClassifierCV``) or ``cost=FP:FN``. Of equally good thresholds, the one nearest to 0.5 is
    chosen. weight_N: the rows' weights. None: a class has no rows.
    """
    known_N = np.isfinite(share_N)
    share_N, positive_N = share_N[known_N], positive_N[known_N]
    if positive_N.all() or not positive_N.any():
        return None
    weight_N = np.ones(len(share_N)) if weight_N is None else weight_N[known_N]
    negatives, positives = weight_N[~positive_N].sum(), weight_N[positive_N].sum()
    value_K = np.unique(share_N)
    edge_K = np.concatenate([[0.0], (value_K[1:] + value_K[:-1]) / 2, [1.0]])

    def below(of_N: NDArray[np.bool_]) -> Floats:
        """``[K]``: the weight of these rows below each edge."""
        order_N = share_N[of_N].argsort()
        total_N = np.concatenate([[0.0], weight_N[of_N][order_N].cumsum()])
        return np.asarray(total_N[np.searchsorted(share_N[of_N][order_N], edge_K, side="left")])

    missed_K, wrong_K = below(positive_N), negatives - below(~positive_N)
    wrong, missed = cost_of(rule) or (1 / negatives, 1 / positives)
    cost_K = wrong * wrong_K + missed * missed_K
    best_K = np.flatnonzero(cost_K <= cost_K.min() * (1 + 1e-12))
    return float(edge_K[best_K[np.abs(edge_K[best_K] - 0.5).argmin()]])
