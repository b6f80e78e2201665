"""What the best constant answer would lose on the labels of a training."""

import math

import numpy as np


def of_classes(counts_C: np.ndarray, weights_C: np.ndarray | None, smoothing: float, classes: int) -> float:
    """Cross-entropy of the best constant probabilities; NaN without any labels."""
    c = counts_C.astype(np.float64)
    if weights_C is not None and len(weights_C) >= len(c):
        c = c * weights_C[: len(c)]
    if not c.sum() > 0:
        return math.nan
    q = np.zeros(max(classes, len(c)))
    q[: len(c)] = (1 - smoothing) * c / c.sum()
    q += smoothing / len(q)
    return -sum(float(p * math.log(p)) for p in q if p > 0)


def of_shares(ones_O: np.ndarray, weights_O: np.ndarray | None) -> float:
    """Binary cross-entropy of the best constant for each output, of which these shares are one.

    weights_O: pos_weight, one for all or for each output.
    """
    w = 1.0 if weights_O is None else weights_O
    if weights_O is not None and len(weights_O) not in (1, len(ones_O)):
        return math.nan
    a, b = w * ones_O, 1 - ones_O
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = -(
            np.where(a > 0, a * np.log(a / (a + b)), 0.0) + np.where(b > 0, b * np.log(b / (a + b)), 0.0)
        )
    return float(lost.mean())
