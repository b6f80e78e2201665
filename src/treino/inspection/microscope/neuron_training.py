"""A single neuron trained for a few updates by an optimizer's formulas, and by torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from treino.inspection.microscope.explanation import Check, ExplanationPart, Step, StepTable, relative
from treino.inspection.microscope.neuron import NAMES, START, Neuron, torch_f
from treino.inspection.microscope.neuron import steps as neuron_steps
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.words import _

# (weight, gradient, curvature, state, number of the update from 1 on) -> moved
Move = Callable[[float, float, float, dict[str, float], int], OptimizerResult]
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
    """The state before update ``t`` (from 1): the neuron, and the steps that change its weight a."""

    t: int
    neuron: Neuron
    steps: tuple[Step, ...]


def walk(move: Move, updates: int = UPDATES) -> list[Stop]:
    """The states before each of ``updates`` updates, and a last one without steps."""
    weights, states = list(START), [dict[str, float]() for _name in NAMES]
    stops = []
    for t in range(1, updates + 1):
        neuron = Neuron(tuple(weights))
        moved = [
            move(w, g, k, s, t)
            for w, g, k, s in zip(weights, neuron.gradient, neuron.curvature, states, strict=True)
        ]
        stops.append(Stop(t, neuron, moved[0].steps))
        weights, states = [m.weight for m in moved], [m.state for m in moved]
    return [*stops, Stop(updates + 1, Neuron(tuple(weights)), ())]


def parts(stops: list[Stop], optimizer: str) -> tuple[ExplanationPart, ...]:
    """The parts: the function, the first updates formula by formula, a table of all updates, and the code."""
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

    known: classes in the code of ``optimizer`` that aren't torch's.
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
                ours, reference, relative(ours, 1.0),
            )
            for n, ours, reference in zip(NAMES, stops[-1].neuron.weights, theirs, strict=True)
        ),
    )  # fmt: skip
