"""Prediction intervals: how far a predicted number may be off, by split conformal prediction.

Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018, https://arxiv.org/abs/1604.04173: an interval as wide as
the errors on rows that weren't trained on contains a new row's number with the stated probability, for any
network, if new rows come from the same distribution.
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
    """The rule of intervals. level: the share of numbers that they should contain. quantile: of the errors on
    validation rows; for an ensemble of the errors divided by (the deviation of its members + ``offset``, the
    mean deviation). offset: None for a single network, whose intervals are equally wide."""

    level: float
    quantile: float
    offset: float | None = None

    def half_widths(self, spread_N: Floats | None, rows: int) -> Floats:
        """Half the width of each interval, ``[N]`` in the target's own units. spread_N: from
        ``members_spread``."""
        if self.offset is None or spread_N is None:
            return np.full(rows, self.quantile)
        return self.quantile * (spread_N + self.offset)


def interval_rule(error_K: Floats, spread_K: Floats | None) -> IntervalRule | None:
    """The rule from the absolute errors ``[K]`` on validation rows; None if they are too few or not finite.

    spread_K: the members' deviation on these rows, in the same units.
    """
    offset = None if spread_K is None else float(spread_K.mean())
    if offset == 0 or (spread_K is not None and not np.isfinite(spread_K).all()):
        spread_K = offset = None  # the members' deviation doesn't depend on the row
    score_K = error_K if spread_K is None or offset is None else error_K / (spread_K + offset)
    place = math.ceil((len(score_K) + 1) * LEVEL)
    if place > len(score_K) or not np.isfinite(score_K).all():
        return None
    return IntervalRule(LEVEL, float(np.sort(score_K)[place - 1]), offset)


def members_spread(
    net: nn.Module, x_ND: torch.Tensor, scale: float, item_shape: Sequence[int] | None = None
) -> Floats | None:
    """``[N]``: the deviation between an ensemble's members; None for a single network.

    scale: one unit of the output in the target's own units.
    """
    if not isinstance(net, Ensemble) or len(net.members) < 2:
        return None
    each = [outputs(member, x_ND, item_shape=item_shape)[:, 0].double() for member in net.members]
    spread_N: Floats = torch.stack(each).std(0, correction=0).numpy() * scale
    return spread_N
