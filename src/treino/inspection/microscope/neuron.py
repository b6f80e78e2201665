"""The topics' example of a function of three variables: one neuron, one row, f(a, b, c).

f(a, b, c) = (tanh(2a + 3b + c) − 0.9)²: inputs 2 and 3, weights a and b, bias c, target 0.9. It starts on the
wrong side, where the second derivative is negative, as many neurons of networks do.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from treino.formula import Expr, Formula, Symbol, call, derivative, value
from treino.inspection.microscope.explanation import Step
from treino.words import _

START = (0.5, -0.5, 0.1)
NAMES = ("a", "b", "c")
TARGET = 0.9


A, B, C = SYMBOLS = tuple(Symbol(n, w) for n, w in zip(NAMES, START, strict=True))
F = (call("tanh", 2 * A + 3 * B + C) - TARGET) ** 2


@cache
def slopes() -> tuple[Expr, ...]:
    """∂f/∂a, ∂f/∂b, ∂f/∂c as trees."""
    return tuple(derivative(F, s) for s in SYMBOLS)


@cache
def bends() -> tuple[Expr, ...]:
    """The second derivatives ∂²f/∂a², ∂²f/∂b², ∂²f/∂c² as trees."""
    return tuple(derivative(slope, s) for slope, s in zip(slopes(), SYMBOLS, strict=True))


@dataclass(frozen=True)
class Neuron:
    """f at one point, and its derivatives."""

    weights: tuple[float, ...]

    def _value(self, of: Expr) -> float:
        return value(of, dict(zip(SYMBOLS, self.weights, strict=True)))

    @property
    def loss(self) -> float:
        return self._value(F)

    @property
    def gradient(self) -> tuple[float, ...]:
        return tuple(map(self._value, slopes()))

    @property
    def curvature(self) -> tuple[float, ...]:
        """The second derivatives."""
        return tuple(map(self._value, bends()))


def steps() -> tuple[Step, ...]:
    """f and its three derivatives at the start, with symbols and numbers."""
    text = _("One neuron: inputs 2 and 3, weights a and b, bias c, and a squared error against 0.9.")
    return (
        Step(_("The function, at its start"), Formula(Symbol("f", 0.0), F), text),
        *(
            Step(
                _("Its slope along {name}").format(name=s.name), Formula(Symbol(f"∂f/∂{s.name}", 0.0), slope)
            )
            for s, slope in zip(SYMBOLS, slopes(), strict=True)
        ),
    )


def torch_f(w: Tensor) -> Tensor:
    """The same function in torch, of a tensor ``[3]``."""
    return (torch.tanh(2 * w[0] + 3 * w[1] + w[2]) - TARGET) ** 2
