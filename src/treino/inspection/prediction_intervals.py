"""Prediction intervals: how far a predicted number may be off, by split conformal prediction.

Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018, https://arxiv.org/abs/1604.04173: an interval as wide as
the errors on rows that weren't trained on holds a new row's number with the probability that it states,
whatever the network, if new rows come from where those came from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from treino.engine.ensemble import Ensemble
from treino.inspection.outputs import outputs

LEVEL = 0.9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class IntervalRule:
    """level: the share of numbers that intervals are to hold. quantile: of the errors on validation rows; of
    an ensemble of the errors over the deviation of its members and ``offset``, the mean one. offset: None of
    one network, whose intervals are all equally wide."""

    level: float
    quantile: float
    offset: float | None = None

    def half_widths(self, spread_N: Floats | None, rows: int) -> Floats:
        """``[N]`` in the target's own units. spread_N: from ``members_spread``."""
        if self.offset is None or spread_N is None:
            return np.full(rows, self.quantile)
        return self.quantile * (spread_N + self.offset)


def interval_rule(error_K: Floats, spread_K: Floats | None) -> IntervalRule | None:
    """From the absolute errors ``[K]`` on validation rows; None where these are too few, or not finite.

    spread_K: the members' deviation there, in the same units.
    """
    offset = None if spread_K is None else float(spread_K.mean())
    if offset == 0 or (spread_K is not None and not np.isfinite(spread_K).all()):
        spread_K = offset = None  # members that agree say nothing of their errors
    score_K = error_K if spread_K is None or offset is None else error_K / (spread_K + offset)
    place = math.ceil((len(score_K) + 1) * LEVEL)
    if place > len(score_K) or not np.isfinite(score_K).all():
        return None
    return IntervalRule(LEVEL, float(np.sort(score_K)[place - 1]), offset)


def members_spread(
    net: nn.Module, x_ND: torch.Tensor, scale: float, item_shape: Sequence[int] | None = None
) -> Floats | None:
    """``[N]``: the deviation of an ensemble's members from each other; None of one network.

    scale: one unit of the output in the target's own units.
    """
    if not isinstance(net, Ensemble) or len(net.members) < 2:
        return None
    each = [outputs(member, x_ND, item_shape=item_shape)[:, 0].double() for member in net.members]
    spread_N: Floats = torch.stack(each).std(0, correction=0).numpy() * scale
    return spread_N
