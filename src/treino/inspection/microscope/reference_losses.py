"""Losses and their slopes in float64 NumPy, to check torch's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from treino.engine.losses import Loss
from treino.inspection.microscope.reference_layers import Array


@dataclass(frozen=True, eq=False)
class ReferenceLoss:
    """L = Σ terms / total.

    terms: ``[B]`` (cross-entropy, bce) or ``[B·K]``, one for each number that is compared.
    total: what their sum is divided by. slope: ``[B, C]``, ∂L/∂output.
    """

    terms: Array
    total: float
    slope: Array

    @property
    def loss(self) -> float:
        return float(self.terms.sum() / self.total)


def softmax(z: Array) -> Array:
    """Along the last axis; the largest is taken away first, so that nothing overflows."""
    e = np.exp(z - z.max(-1, keepdims=True))
    found: Array = e / e.sum(-1, keepdims=True)
    return found


def log_softmax(z: Array) -> Array:
    shifted = z - z.max(-1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def soft_targets(loss: Loss, y: Array, classes: int) -> Array:
    """``[B, C]``: what −ln p of each class is multiplied with: one-hot, smoothed, weighted."""
    weight = np.array(loss.class_weights or (1.0,) * classes)
    found: Array = (np.eye(classes)[y] * (1 - loss.label_smoothing) + loss.label_smoothing / classes) * weight
    return found


def row_weights(loss: Loss, y: Array) -> Array:
    """``[B]``: the weights of the rows' classes, by whose sum torch divides."""
    return np.ones(len(y)) if loss.class_weights is None else np.array(loss.class_weights)[y]


def _cross_entropy(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
    target, total = soft_targets(loss, y, out.shape[1]), float(row_weights(loss, y).sum())
    z = softmax(out) if loss.softmax_first else out
    terms = -(target * log_softmax(z)).sum(1)
    slope = (softmax(z) * target.sum(1, keepdims=True) - target) / total
    if loss.softmax_first:  # through the first softmax: q (d − Σ d q)
        slope = z * (slope - (slope * z).sum(1, keepdims=True))
    return ReferenceLoss(terms, total, slope)


def _bce(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
    z, y = out, y.reshape(out.shape)
    terms = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    p = np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))
    return ReferenceLoss(terms.reshape(-1), float(z.size), (p - y) / z.size)


def _elementwise(value: Callable[[Array], Array], slope: Callable[[Array], Array]) -> "Kind":
    def work(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
        e = out - y.reshape(out.shape)
        return ReferenceLoss(value(e).reshape(-1), float(e.size), slope(e) / e.size)

    return work


Kind = Callable[[Loss, Array, Array], ReferenceLoss]

KINDS: dict[str, Kind] = {
    "cross_entropy": _cross_entropy,
    "bce": _bce,
    "mse": _elementwise(np.square, lambda e: 2 * e),
    "l1": _elementwise(np.abs, np.sign),
    "huber": _elementwise(
        lambda e: np.where(np.abs(e) <= 1, e * e / 2, np.abs(e) - 0.5), lambda e: np.clip(e, -1, 1)
    ),
}


def worked(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
    """The loss of outputs ``[B, C]`` against y."""
    return KINDS[loss.name](loss, out, y)
