"""Layers, losses and their gradients in float64 NumPy, and the papers that explanations cite.

The computation is independent of torch's, so that each checks the other. Rumelhart, Hinton & Williams 1986,
"Learning representations by back-propagating errors".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from treino.base.formula import Array, Expr, Symbol, derivative, values
from treino.engine import ACTIVATIONS, Loss, Terms

# ---- forward and backward pass through layers in float64 NumPy


def function(act: str) -> Callable[[Array], Array]:
    """f of the activation with this name, evaluated from its formula."""
    z = Symbol("z", 0.0)
    tree = ACTIVATIONS[act].formula(z)
    return lambda z_BH: values(tree, {z: z_BH})


def slope(act: str) -> Callable[[Array], Array]:
    """f' of the activation with this name, the derivative of its formula."""
    z = Symbol("z", 0.0)
    tree = derivative(ACTIVATIONS[act].formula(z), z)
    return lambda z_BH: values(tree, {z: z_BH})


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """h = act(W a + b) · mask.

    name: the Linear's name in the module; "" if the Linear is the whole network. W: ``[H, D]``, b: ``[H]``
    (zeros without a bias), float64. act: a name in ACTIVATIONS, or "" for none. drop: the index of the
    following dropout among all dropouts, in the order of ``modules()``; None without dropout.
    """

    name: str
    W: Array
    b: Array
    bias: bool
    act: str = ""
    drop: int | None = None

    def parameter(self, kind: str) -> str:
        """Torch's name of this layer's ``weight`` or ``bias``."""
        return f"{self.name}.{kind}" if self.name else kind


@dataclass(frozen=True, eq=False)
class LayerPass:
    """The pass of one batch through one layer: inputs a ``[B, D]``, z ``[B, H]``, outputs h ``[B, H]``.

    d: ``[B, H]``: ∂L/∂z, where L is the loss of the whole batch.
    """

    a: Array
    z: Array
    h: Array
    mask: Array | None
    d: Array


def passed(
    layers: tuple[DenseLayer, ...],
    x: Array,
    masks: tuple[Array, ...],
    loss_slope: Callable[[Array], Array],
) -> list[LayerPass]:
    """Run the forward and backward pass. loss_slope: maps outputs ``[B, C]`` to ∂L/∂outputs ``[B, C]``."""
    forward: list[tuple[Array, Array, Array, Array | None]] = []
    a = x
    for layer in layers:
        z = a @ layer.W.T + layer.b
        h = function(layer.act)(z) if layer.act else z
        mask = None if layer.drop is None else masks[layer.drop]
        forward.append((a, z, h if mask is None else h * mask, mask))
        a = forward[-1][2]
    up = loss_slope(a)
    passes: list[LayerPass] = []
    for layer, (inputs, z, h, mask) in zip(reversed(layers), reversed(forward), strict=True):
        d = up if mask is None else up * mask
        if layer.act:
            d = d * slope(layer.act)(z)
        passes.append(LayerPass(inputs, z, h, mask, d))
        up = d @ layer.W
    return passes[::-1]


def gradients(layers: tuple[DenseLayer, ...], through: list[LayerPass]) -> dict[str, Array]:
    """Return ``{torch's parameter name: ∂L/∂parameter}``: the sum of d·a over the rows."""
    gradient_of: dict[str, Array] = {}
    for layer, p in zip(layers, through, strict=True):
        gradient_of[layer.parameter("weight")] = p.d.T @ p.a
        if layer.bias:
            gradient_of[layer.parameter("bias")] = p.d.sum(0)
    return gradient_of


def stepped(
    layers: tuple[DenseLayer, ...], gradient: dict[str, Array], rate: float
) -> tuple[DenseLayer, ...]:
    """The layers after the update θ ← θ − η g."""
    return tuple(
        replace(
            layer,
            W=layer.W - rate * gradient[layer.parameter("weight")],
            b=layer.b - rate * gradient[layer.parameter("bias")] if layer.bias else layer.b,
        )
        for layer in layers
    )


# ---- losses and their gradients in float64 NumPy


@dataclass(frozen=True, eq=False)
class ReferenceLoss:
    """L = Σ terms / total.

    terms: ``[B]`` (cross-entropy, bce) or ``[B·K]``, one per target. total: the divisor of the terms' sum.
    slope: ``[B, C]``: ∂L/∂output.
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
    """``[B, C]``: the factor of each class's −ln p: one-hot, smoothed, and weighted by class."""
    weight = np.array(loss.class_weights or (1.0,) * classes)
    target_BC: Array = (
        np.eye(classes)[y] * (1 - loss.label_smoothing) + loss.label_smoothing / classes
    ) * weight
    return target_BC


def row_weights(loss: Loss, y: Array) -> Array:
    """``[B]``: the weight of each row's class; torch divides the loss by their sum."""
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
    """A loss of output-target pairs, from its formula, which changes at kinks."""
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
    """A loss of each row's outputs and class, or number, from its formula."""
    each, slope = np.empty(len(out)), np.empty_like(out)
    numbers = y.dtype.kind == "f"  # the formula differs by row
    for label in range(len(y)) if numbers else np.unique(y):
        place = np.array([label]) if numbers else np.flatnonzero(y == label)
        z = tuple(Symbol("z", float(v), str(k)) for k, v in enumerate(out[place[0]]))
        at = {symbol: out[place, k] for k, symbol in enumerate(z)}
        term = terms.term(z, row_target(y, int(place[0])))
        each[place] = values(term, at)
        for k, symbol in enumerate(z):
            slope[place, k] = values(derivative(term, symbol), at)
    return ReferenceLoss(each, float(len(out)), slope / len(out))


def row_target(y: Array, row: int) -> "int | Symbol":
    """A row's class, or its number as a symbol."""
    return Symbol("y", float(y.reshape(-1)[row])) if y.dtype.kind == "f" else int(y[row])


def pair_slope(terms: Terms, output: Symbol, y: Expr) -> Expr:
    """The term's derivative with respect to the output."""
    return terms.slope(output, y) if terms.slope else derivative(terms.term(output, y), output)


def worked(loss: Loss, out: Array, y: Array) -> ReferenceLoss:
    """The loss of outputs ``[B, C]`` for targets ``y``, computed in NumPy."""
    if (terms := loss.terms) is None:
        return (_bce if loss.name == "bce" else _cross_entropy)(loss, out, y)
    return (_of_rows if loss.by_row else _of_pairs)(terms, out, y)


# ---- papers and torch pages that the explanations cite

ADAM = "Kingma & Ba 2015, Adam: A Method for Stochastic Optimization, arXiv:1412.6980, algorithm 1"
ADAMW = "Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, arXiv:1711.05101"
BACKPROP = (
    "Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, Nature 323"
)
SGD = "Robbins & Monro 1951, A Stochastic Approximation Method, Annals of Mathematical Statistics 22"
MOMENTUM = "Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum, ICML"
HUBER = "Huber 1964, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35"


def torch_page(name: str) -> str:
    """The address of a page of torch's documentation, e.g. ``torch.optim.Adam``."""
    return f"https://docs.pytorch.org/docs/stable/generated/{name}.html"
