"""Which points of a long curve are drawn: those that were measured, spread evenly, and all that stand out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def drawn_places(at_N: Sequence[float], value_N: ArrayLike, most: int) -> list[int]:
    """The places of the points to draw, at most ``most`` (from 5 on), in their order.

    at_N: where the points lie, rising. value_N: their values; NaN where nothing was measured. Of each of
    equal stretches the first, the lowest and the highest point are drawn, and the last of all.
    """
    count = len(at_N)
    if count <= most:
        return list(range(count))
    place_N, values_N = np.asarray(at_N, np.float64), np.asarray(value_N, np.float64)
    stretches = (most - 1) // 3
    share_N = (place_N - place_N[0]) / (place_N[-1] - place_N[0])
    stretch_N = np.minimum((share_N * stretches).astype(np.int64), stretches - 1)
    begins = np.flatnonzero(np.diff(stretch_N, prepend=-1))
    chosen = {*begins.tolist(), count - 1}
    for first, stop in zip(begins, [*begins[1:], count], strict=True):
        part = values_N[first:stop]
        if not np.isnan(part).all():
            chosen |= {int(first + np.nanargmin(part)), int(first + np.nanargmax(part))}
    return sorted(chosen)
