"""The pages' own example of a function of three variables: one neuron, one row, f(a, b, c).

f(a, b, c) = (tanh(2a + 3b + c) − 0.9)²: inputs 2 and 3, weights a and b, bias c, target 0.9. It starts on the
wrong side, where the second derivative is negative: a neuron as networks have them by the thousand.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.formula import Expr, Formula, Symbol, call, derivative, value
from treino.words import _

START = (0.5, -0.5, 0.1)
NAMES = ("a", "b", "c")
INPUTS = (2.0, 3.0, 1.0)
TARGET = 0.9


@dataclass(frozen=True)
class Neuron:
    """f at one point, and its derivatives."""

    weights: tuple[float, float, float]

    @property
    def symbols(self) -> tuple[Symbol, Symbol, Symbol]:
        a, b, c = (Symbol(n, w) for n, w in zip(NAMES, self.weights, strict=True))
        return a, b, c

    @property
    def f(self) -> Expr:
        a, b, c = self.symbols
        return (call("tanh", 2 * a + 3 * b + c) - TARGET) ** 2

    @property
    def loss(self) -> float:
        return value(self.f)

    @property
    def gradient(self) -> tuple[float, float, float]:
        a, b, c = (value(derivative(self.f, s)) for s in self.symbols)
        return a, b, c

    @property
    def curvature(self) -> tuple[float, float, float]:
        """The second derivatives ∂²f/∂a², ∂²f/∂b², ∂²f/∂c²."""
        a, b, c = (value(derivative(derivative(self.f, s), s)) for s in self.symbols)
        return a, b, c

    def steps(self) -> tuple[Step, ...]:
        """f and its three derivatives, with symbols and numbers."""
        f = Formula(Symbol("f", 0.0), self.f)
        text = _("One neuron: inputs 2 and 3, weights a and b, bias c, and a squared error against 0.9.")
        slopes = (
            Step(
                _("Its slope along {name}").format(name=s.name),
                Formula(Symbol(f"∂f/∂{s.name}", 0.0), derivative(self.f, s)),
            )
            for s in self.symbols
        )
        return (Step(_("The function, at its start"), f, text), *slopes)


def torch_f(w: Tensor) -> Tensor:
    """The same function in torch, of a tensor ``[3]``."""
    return (torch.tanh(2 * w[0] + 3 * w[1] + w[2]) - TARGET) ** 2
