"""The example of the optimizers' topics: one neuron, trained by an optimizer's formulas and by torch.

f(a, b, c) = (tanh(2a + 3b + c) − 0.9)²: inputs 2 and 3, weights a and b, bias c, target 0.9. At the start the
output has the wrong sign and the second derivative is negative, as for many neurons of networks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from treino.base.formula import Expr, Formula, Symbol, call, derivative, value
from treino.base.words import _
from treino.inspection.microscope.explanation import Check, ExplanationPart, Step, StepTable, relative
from treino.inspection.microscope.optimizers import OptimizerResult

# ---- the example, a function of three variables

START = (0.5, -0.5, 0.1)
NAMES = ("a", "b", "c")
TARGET = 0.9


A, B, C = SYMBOLS = tuple(Symbol(n, w) for n, w in zip(NAMES, START, strict=True))
F = (call("tanh", 2 * A + 3 * B + C) - TARGET) ** 2


@cache
def slopes() -> tuple[Expr, ...]:
    """∂f/∂a, ∂f/∂b, ∂f/∂c as expression trees."""
    return tuple(derivative(F, s) for s in SYMBOLS)


@dataclass(frozen=True)
class Neuron:
    """The weights a, b, c at one point, with f and its derivatives there."""

    weights: tuple[float, ...]

    def _value(self, of: Expr) -> float:
        return value(of, dict(zip(SYMBOLS, self.weights, strict=True)))

    @property
    def loss(self) -> float:
        return self._value(F)

    @property
    def gradient(self) -> tuple[float, ...]:
        return tuple(map(self._value, slopes()))


def neuron_steps() -> tuple[Step, ...]:
    """The steps that show f and its three derivatives at the start, in symbols and numbers."""
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
    """Compute f in torch from a tensor ``[3]``."""
    return (torch.tanh(2 * w[0] + 3 * w[1] + w[2]) - TARGET) ** 2


# ---- training by an optimizer's formulas

# arguments: weight, gradient, optimizer state, number of the update from 1
Move = Callable[[float, float, dict[str, float], int], OptimizerResult]
UPDATES = 10
SHOWN = 2
H = 1e-6

CODE = """\
import torch

w = torch.tensor([0.5, -0.5, 0.1], dtype=torch.float64, requires_grad=True)
optimizer = {optimizer}
for update in range({updates}):
    a, b, c = w
    loss = (torch.tanh(2 * a + 3 * b + c) - 0.9) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@dataclass(frozen=True)
class Stop:
    """The neuron before update ``t`` (from 1), and the explanation's steps of the update of weight a."""

    t: int
    neuron: Neuron
    steps: tuple[Step, ...]


def walk(move: Move, updates: int = UPDATES) -> list[Stop]:
    """Train the neuron. Return the stops before each update, and one without steps after the last update."""
    weights, states = list(START), [dict[str, float]() for _name in NAMES]
    stops = []
    for t in range(1, updates + 1):
        neuron = Neuron(tuple(weights))
        moved = [move(w, g, s, t) for w, g, s in zip(weights, neuron.gradient, states, strict=True)]
        stops.append(Stop(t, neuron, moved[0].steps))
        weights, states = [m.weight for m in moved], [m.state for m in moved]
    return [*stops, Stop(updates + 1, Neuron(tuple(weights)), ())]


def parts(stops: list[Stop], optimizer: str) -> tuple[ExplanationPart, ...]:
    """The parts: the function, the first updates formula by formula, then all updates and the torch code."""
    table = StepTable(
        (_("after update"), "a", "b", "c", "f"),
        tuple((stop.t - 1, *stop.neuron.weights, stop.neuron.loss) for stop in stops),
    )
    first = tuple(
        ExplanationPart(_("Update {t} of the weight a").format(t=stop.t), stop.steps)
        for stop in stops[:SHOWN]
    )
    code = CODE.format(optimizer=optimizer, updates=UPDATES)
    return (
        ExplanationPart(_("The function and its slopes"), neuron_steps()),
        *first,
        ExplanationPart(
            _("Ten updates, and the code"),
            (
                Step(_("Where they lead"), table=table),
                Step(
                    _("The same in PyTorch: this code was run for the checks below"),
                    text=_(
                        "The course's own box, “Código: Otimização do modelo”, is empty. This belongs there:"
                    ),
                    code=code,
                ),
            ),
        ),
    )


def checks(
    stops: list[Stop], optimizer: str, known: Mapping[str, type[torch.optim.Optimizer]] | None = None
) -> tuple[Check, ...]:
    """Checks of the gradient at the start and all weights at the end against torch.

    known: classes that the code in ``optimizer`` uses and that aren't torch's, by name.
    """
    neuron = stops[0].neuron
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    torch_f(w).backward()
    assert w.grad is not None
    ends = [Neuron((START[0] + by, *START[1:])).loss for by in (H, -H)]
    place: dict[str, Any] = dict(known or {})
    exec(CODE.format(optimizer=optimizer, updates=UPDATES), place)
    theirs = place["w"].detach().tolist()
    g = neuron.gradient[0]
    name = optimizer.partition("(")[0]
    return (
        Check(_("∂f/∂a at the start: torch.autograd"), g, float(w.grad[0]), relative(g)),
        Check(_("∂f/∂a at the start: central finite difference"), g, (ends[0] - ends[1]) / (2 * H), 1e-8),
        *(
            Check(
                _("{weight} after {n} updates: {optimizer}").format(weight=n, n=UPDATES, optimizer=name),
                ours,
                reference,
                relative(ours, 1.0),
            )
            for n, ours, reference in zip(NAMES, stops[-1].neuron.weights, theirs, strict=True)
        ),
    )
