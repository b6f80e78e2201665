"""Losses and their slopes in float64 NumPy, or evaluated from their formulas, to check torch's."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from treino.engine.losses import Loss, Terms
from treino.formula import Array, Expr, Symbol, derivative, values


@dataclass(frozen=True, eq=False)
class ReferenceLoss:
    """L = Σ terms / total.

    terms: ``[B]`` (cross-entropy, bce) or ``[B·K]``, one for each target. total: the divisor of their sum.
    slope: ``[B, C]``, ∂L/∂output.
    """

    terms: Array
    total: float
    slope: Array

    @property
    def loss(self) -> float:
        return float(self.terms.sum() / self.total)


def softmax(z: Array) -> Array:
    """Softmax along the last axis; the largest logit is subtracted first, to avoid overflow."""
    e = np.exp(z - z.max(-1, keepdims=True))
    p: Array = e / e.sum(-1, keepdims=True)
    return p


def log_softmax(z: Array) -> Array:
    shifted = z - z.max(-1, keepdims=True)
    log_p: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return log_p


def soft_targets(loss: Loss, y: Array, classes: int) -> Array:
    """``[B, C]``: the factors of −ln p of each class: one-hot, smoothed, weighted."""
    weight = np.array(loss.class_weights or (1.0,) * classes)
    target_BC: Array = (
        np.eye(classes)[y] * (1 - loss.label_smoothing) + loss.label_smoothing / classes
    ) * weight
    return target_BC


def row_weights(loss: Loss, y: Array) -> Array:
    """``[B]``: the weights of the rows' classes; torch divides by their sum."""
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


def _of_pairs(terms: Terms, out: Array, y: Array) -> ReferenceLoss:
    """A loss of pairs of an output and its target, by its formula, which differs between kinks."""
    predicted, target = out.reshape(-1), y.reshape(-1)
    each, slope = np.empty_like(predicted), np.empty_like(predicted)
    between = np.searchsorted(terms.kinks, predicted - target)
    for region in np.unique(between):
        place = np.flatnonzero(between == region)
        mine, theirs = Symbol("ŷ", float(predicted[place[0]])), Symbol("y", float(target[place[0]]))
        at = {mine: predicted[place], theirs: target[place]}
        each[place] = values(terms.term(mine, theirs), at)
        slope[place] = values(pair_slope(terms, mine, theirs), at)
    return ReferenceLoss(each, float(out.size), slope.reshape(out.shape) / out.size)


def _of_rows(terms: Terms, out: Array, y: Array) -> ReferenceLoss:
    """A loss of rows' outputs and classes, by its formula."""
    each, slope = np.empty(len(out)), np.empty_like(out)
    for label in np.unique(y):
        place = np.flatnonzero(y == label)
        z = tuple(Symbol("z", float(v), str(k)) for k, v in enumerate(out[place[0]]))
        at = {symbol: out[place, k] for k, symbol in enumerate(z)}
        term = terms.term(z, int(label))
        each[place] = values(term, at)
        for k, symbol in enumerate(z):
            slope[place, k] = values(derivative(term, symbol), at)
    return ReferenceLoss(each, float(len(out)), slope / len(out))


def pair_slope(terms: Terms, output: Symbol, y: Expr) -> Expr:
    """The term's derivative by the output."""
    return terms.slope(output, y) if terms.slope else derivative(terms.term(output, y), output)


Kind = Callable[[Loss, Array, Array], ReferenceLoss]

# losses without terms
KINDS: dict[str, Kind] = {
    "cross_entropy": _cross_entropy,
    "bce": _bce,
}


def worked(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
    """The loss of outputs ``[B, C]`` for targets y."""
    if (terms := loss.kind.terms) is None:
        return KINDS[loss.name](loss, out, y)
    return (_of_rows if loss.kind.of_classes else _of_pairs)(terms, out, y)
