"""Bins of a column of numbers: the piecewise-linear encoding, beside the number itself."""

import itertools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def with_bins(value_N: Floats, edges: tuple[float, ...]) -> list[Floats]:
    """The values, and for each bin the share of it that lies below them: 0 up to its start, 1 from its end.

    Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556, whose outer bins go on without an end; these
    have one, so that nothing far out is larger than 1.
    """
    bins = itertools.pairwise(edges)
    return [value_N, *((np.clip(value_N, low, high) - low) / (high - low) for low, high in bins)]


def quantile_edges(value_N: Floats, fill: float, bins: int) -> tuple[float, ...]:
    """The edges of so many bins, between which about equally many of these values lie; of a column with few
    values there are fewer, and none of one with two.

    fill: what stands for NaN.
    """
    known = np.where(np.isnan(value_N), fill, value_N)
    if not bins or not len(known):
        return ()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    with np.errstate(over="ignore"):
        finite = bool(np.isfinite(np.diff(edges)).all())
    return tuple(edges.tolist()) if len(edges) > 2 and finite else ()
