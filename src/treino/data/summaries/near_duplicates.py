"""Search for near-duplicates among images: all pairs whose pixels correlate almost fully.

The correlation of two images is the product of their pixels with mean 0 and length 1: a copy with other
brightness, contrast or a little noise is near; a shifted, rotated or mirrored one isn't. Vectors of length 1
with a correlation of at least c are at most sqrt(2 - 2c) apart, also when projected to a few axes: pairs
further apart on the axes are skipped, and all others are compared in full.
"""

import math

import numpy as np
from numpy.typing import NDArray

CORRELATION = 0.99  # least correlation of near-duplicates
AXES = 16  # the number of principal axes, which separate most pairs
_SAMPLE = 5000  # images from which the axes are computed: any axes are right, these are fast
_BLOCK = 128
_AT_ONCE = 8192  # pairs that are compared in full at a time
_DENSE = 16  # if one pair in so many is left, comparing the whole block in full is faster
_SLACK = 1e-5  # for the rounding of float32

Unit = NDArray[np.float32]


def near_earlier(unit_ND: Unit, part_N: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two masks ``[N]``: images with an earlier near-duplicate, and images with one in an earlier split.

    unit_ND: the images in order, each with mean 0 and length 1. part_N: the number of each image's split,
    ascending.
    """
    near_N, across_N = np.zeros(len(unit_ND), dtype=bool), np.zeros(len(unit_ND), dtype=bool)
    if len(unit_ND) < 2:
        return near_N, across_N
    limit = math.sqrt(2 - 2 * CORRELATION)
    axis_ND = unit_ND @ _axes(unit_ND[:: max(1, len(unit_ND) // _SAMPLE)])
    order_N = axis_ND[:, 0].argsort(kind="stable")
    unit_ND, axis_ND = unit_ND[order_N], axis_ND[order_N]
    half_N = (axis_ND * axis_ND).sum(axis=1) / 2
    one_N = np.ones_like(half_N)  # the product of left and right is minus half the squared distance
    left, right = np.column_stack([axis_ND, -half_N, one_N]), np.column_stack([axis_ND, one_N, -half_N])
    end_N = np.searchsorted(axis_ND[:, 0], axis_ND[:, 0] + np.float32(limit + _SLACK), side="right")
    for start in range(0, len(unit_ND), _BLOCK):
        stop = min(start + _BLOCK, len(unit_ND))
        end = int(end_N[stop - 1])
        pair_2K = start + _pairs(left[start:stop] @ right[start:end].T, -(limit**2) / 2 - _SLACK)
        if pair_2K.shape[1] > (stop - start) * (end - start) // _DENSE:
            pair_2K = start + _pairs(unit_ND[start:stop] @ unit_ND[start:end].T, CORRELATION)
        else:
            pair_2K = pair_2K[:, _correlations(unit_ND, pair_2K) >= CORRELATION]
        first_K, last_K = np.sort(order_N[pair_2K], axis=0)
        near_N[last_K] = True
        across_N[last_K[part_N[first_K] < part_N[last_K]]] = True
    return near_N, across_N


def nearest_earlier(unit_ND: Unit, row: int, before: int) -> tuple[int, float]:
    """The image among the first ``before`` ones that correlates most with an image, and the correlation."""
    correlation_K = unit_ND[:before] @ unit_ND[row]
    return int(correlation_K.argmax()), float(correlation_K.max())


def _axes(unit_KD: Unit) -> Unit:
    """``[D, A]``: the first principal axes."""
    _values, axis_DD = np.linalg.eigh(np.cov(unit_KD.T))
    return np.ascontiguousarray(axis_DD[:, ::-1][:, :AXES], dtype=np.float32)


def _pairs(value_BK: Unit, least: float) -> NDArray[np.int64]:
    """``[2, K]``: the pairs of rows and later columns whose value is at least ``least``."""
    row_K, column_K = np.divmod(np.flatnonzero(value_BK >= np.float32(least)), value_BK.shape[1])
    return np.stack([row_K, column_K])[:, column_K > row_K]


def _correlations(unit_ND: Unit, pair_2K: NDArray[np.int64]) -> Unit:
    correlation_K = np.empty(pair_2K.shape[1], dtype=np.float32)
    for start in range(0, len(correlation_K), _AT_ONCE):
        one, other = pair_2K[:, start : start + _AT_ONCE]
        correlation_K[start : start + _AT_ONCE] = np.einsum("ij,ij->i", unit_ND[one], unit_ND[other])
    return correlation_K
