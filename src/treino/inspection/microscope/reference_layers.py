"""Forward and backward pass through layers in float64 NumPy, to check torch's.

It is independent of torch, so that each checks the other. Rumelhart, Hinton & Williams 1986, "Learning
representations by back-propagating errors".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from treino.engine.activations import ACTIVATIONS
from treino.formula import Array, Symbol, derivative, values


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

    name: of the Linear in the module; "" if the Linear is the whole network. W: ``[H, D]``, b: ``[H]`` (zeros
    without a bias), float64. act: a name of ACTIVATIONS, or "" for none. drop: the index of the following
    dropout, in the order of ``modules()``; None without one.
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

    d: ``[B, H]``, ∂L/∂z, L the loss of the whole batch.
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
    """The forward and backward pass. loss_slope: outputs ``[B, C]`` -> ∂L/∂outputs ``[B, C]``."""
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
    """∂L/∂parameter by torch's names: the sum of d·a over the rows."""
    gradient_of: dict[str, Array] = {}
    for layer, p in zip(layers, through, strict=True):
        gradient_of[layer.parameter("weight")] = p.d.T @ p.a
        if layer.bias:
            gradient_of[layer.parameter("bias")] = p.d.sum(0)
    return gradient_of


def stepped(
    layers: tuple[DenseLayer, ...], gradient: dict[str, Array], rate: float
) -> tuple[DenseLayer, ...]:
    """The layers after θ ← θ − η g."""
    return tuple(
        replace(
            layer,
            W=layer.W - rate * gradient[layer.parameter("weight")],
            b=layer.b - rate * gradient[layer.parameter("bias")] if layer.bias else layer.b,
        )
        for layer in layers
    )
