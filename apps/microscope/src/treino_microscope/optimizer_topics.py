"""Topics of optimizers, each on one neuron that its formulas train, and torch beside them.

f(a, b, c) = (tanh(2a + 3b + c) − 0.9)²: inputs 2 and 3, weights a and b, bias c, target 0.9. At the start the
output has the wrong sign and the second derivative is negative, as for many neurons of networks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from treino.base.formula import Expr, Symbol, call, derivative, value
from treino.base.words import N_, _
from treino.engine import OPTIMIZERS
from treino_microscope import optimizers
from treino_microscope.explanation import (
    Check,
    ExplanationPart,
    Step,
    StepTable,
    Topic,
    Worked,
    central,
    equation,
    relative,
)
from treino_microscope.optimizers import OptimizerResult
from treino_microscope.reference import ADAM, ADAMW, MOMENTUM, SGD, torch_page
from treino_microscope.run_explanation import (
    moving_checks,
    optimizer_step,
    own_optimizer,
    to_the_weight,
    topic_name,
)
from treino_microscope.update import Update

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


def torch_f(w: Tensor) -> Tensor:
    """Compute f in torch from a tensor ``[3]``."""
    return (torch.tanh(2 * w[0] + 3 * w[1] + w[2]) - TARGET) ** 2


# ---- training by an optimizer's formulas, and by torch

# arguments: weight, gradient, optimizer state, number of the update from 1
Move = Callable[[float, float, dict[str, float], int], OptimizerResult]
UPDATES = 10
SHOWN = 2

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
    """Train the neuron. Return a stop before each update, and a last one, which has no steps."""
    weights, states = list(START), [dict[str, float]() for _name in NAMES]
    stops = []
    for t in range(1, updates + 1):
        neuron = Neuron(tuple(weights))
        moved = [move(w, g, s, t) for w, g, s in zip(weights, neuron.gradient, states, strict=True)]
        stops.append(Stop(t, neuron, moved[0].steps))
        weights, states = [m.weight for m in moved], [m.state for m in moved]
    return [*stops, Stop(updates + 1, Neuron(tuple(weights)), ())]


def mover(entry: str, settings: Mapping[str, Any]) -> Move:
    """The update of a weight by a registered optimizer with these settings."""
    return lambda w, g, state, t: optimizers.update(entry, w, g, state, settings, t)


def _on_neuron(entry: str, settings: Mapping[str, Any]) -> Worked:
    """The function, the first updates formula by formula, then all updates and the torch code, which is run
    for the checks."""
    stops, kind = walk(mover(entry, settings)), OPTIMIZERS[entry].torch
    own = not kind.__module__.startswith("torch.")
    said = ", ".join(f"{name}={value}" for name, value in settings.items())
    code = f"{'' if own else 'torch.optim.'}{kind.__name__}([w], {said})"
    one = _("One neuron: inputs 2 and 3, weights a and b, bias c, and a squared error against 0.9.")
    function = [Step(_("The function, at its start"), equation("f", F), one)]
    for s, slope in zip(SYMBOLS, slopes(), strict=True):
        function.append(
            Step(_("Its slope along {name}").format(name=s.name), equation(f"∂f/∂{s.name}", slope))
        )
    table = StepTable(
        (_("after update"), "a", "b", "c", "f"),
        tuple((stop.t - 1, *stop.neuron.weights, stop.neuron.loss) for stop in stops),
    )
    run = _("The same in PyTorch: this code was run for the checks below")
    program = CODE.format(optimizer=code, updates=UPDATES)
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    torch_f(w).backward()
    assert w.grad is not None
    g = stops[0].neuron.gradient[0]
    difference = central(lambda by: Neuron((START[0] + by, *START[1:])).loss)
    return (
        ExplanationPart(_("The function and its slopes"), tuple(function)),
        *(ExplanationPart(_("Update {t} of the weight a").format(t=s.t), s.steps) for s in stops[:SHOWN]),
        ExplanationPart(
            _("Ten updates, and the code"),
            (Step(_("Where they lead"), table=table), Step(run, code=program)),
        ),
        ExplanationPart(
            _("What the course says, and what is so"),
            (
                Step(
                    "“Código: Otimização do modelo”",
                    text=_("This box is empty: the code above belongs there."),
                ),
            ),
            taught=True,
        ),
    ), (
        Check(_("∂f/∂a at the start: torch.autograd"), g, float(w.grad[0]), relative(g)),
        Check(_("∂f/∂a at the start: central finite difference"), g, difference, 1e-8),
        *_end_checks(stops, code, {kind.__name__: kind} if own else {}),
    )


def _end_checks(stops: list[Stop], optimizer: str, known: Mapping[str, Any]) -> list[Check]:
    """Checks of all weights at the end against torch. known: classes that aren't torch's, by name."""
    place = dict(known)
    exec(CODE.format(optimizer=optimizer, updates=UPDATES), place)
    name = _("{weight} after {n} updates: {optimizer}")
    return [
        Check(
            name.format(weight=n, n=UPDATES, optimizer=optimizer.partition("(")[0]),
            ours,
            theirs,
            relative(ours, 1.0),
        )
        for n, ours, theirs in zip(NAMES, stops[-1].neuron.weights, place["w"].tolist(), strict=True)
    ]


# ---- AdamW, compared with Adam with an L2 penalty

DECAYED = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}


def _adamw() -> Worked:
    parts, checks = _on_neuron("adamw", DECAYED)
    mine, other = walk(mover("adamw", DECAYED)), walk(mover("adam", DECAYED))
    rows = tuple(
        (stop.t - 1, stop.neuron.weights[0], beside.neuron.weights[0])
        for stop, beside in zip(mine, other, strict=True)
    )
    text = _(
        "Adam divides by the size of the gradient, and the penalty with it: a weight with large gradients "
        "hardly decays. AdamW shrinks all weights alike."
    )
    table = StepTable((_("after update"), _("a, AdamW"), _("a, Adam with L2")), rows)
    settings = ", ".join(f"{name}={value}" for name, value in DECAYED.items())
    return (
        *parts,
        ExplanationPart(_("Adam with L2: update 1"), other[0].steps),
        ExplanationPart(_("Side by side"), (Step(_("The same weight, two decays"), text=text, table=table),)),
    ), (*checks, *_end_checks(other, f"torch.optim.Adam([w], {settings})", {}))


def _beside_l2(update: Update) -> Worked:
    l2 = replace(update, optimizer="adam", after=None)
    beside = optimizer_step(l2)
    text = _("The same gradient, state and decay {decay:g}; here λ times the weight goes through Adam.")
    step = Step(_("What would differ"), text=text.format(decay=update.hp["weight_decay"]))
    heading = _("Beside it: Adam with the same decay as an L2 penalty")
    parts, checks = to_the_weight(update)
    part = ExplanationPart(heading, (step, *beside.steps))
    return (*parts, part), (*checks, *moving_checks(l2, beside))


# ---- the topics


_topic = partial(Topic, on_run=to_the_weight, own=own_optimizer)
TOLD = (
    _topic(
        "sgd",
        N_("gradient descent: against the slope"),
        N_("sgd: gradient descent"),
        N_("f(a, b, c) of three weights: each goes a little way against its own slope."),
        (SGD, torch_page("torch.optim.SGD")),
        partial(_on_neuron, "sgd", {"lr": 0.01}),
    ),
    _topic(
        "momentum",
        N_("a velocity that remembers gradients"),
        N_("momentum: gradient descent with a velocity"),
        N_("The velocity keeps nine tenths of itself at each update and takes the new gradient on."),
        (MOMENTUM, torch_page("torch.optim.SGD")),
        partial(_on_neuron, "sgd", {"lr": 0.01, "momentum": 0.9}),
    ),
    _topic(
        "adam",
        N_("running means of slope and square"),
        N_("adam: steps of the gradient's mean over the root of its mean square"),
        N_(
            "Two means that forget, corrected because they begin at 0, and the step that they make. t counts "
            "this update, too: with t = 0 at the first, the correction would divide by 1 − β⁰ = 0."
        ),
        (ADAM, torch_page("torch.optim.Adam")),
        partial(_on_neuron, "adam", {"lr": 0.02, "betas": (0.9, 0.999), "eps": 1e-8}),
    ),
    _topic(
        "adamw",
        N_("weight decay beside Adam's gradient, against L2 in it"),
        N_("adamw: weight decay beside the gradient, not in it"),
        N_("The same neuron with decay 0.1 twice: decoupled (AdamW), and as a penalty in the gradient (L2)."),
        (ADAMW, torch_page("torch.optim.AdamW"), torch_page("torch.optim.Adam")),
        _adamw,
        on_run=_beside_l2,
    ),
)


def optimizer_topics() -> dict[str, Topic]:
    """A topic for each optimizer, ``momentum`` beside ``sgd``."""
    others = [
        _topic(
            topic_name(name),
            kind.about,
            N_("{topic}: {about}"),
            N_("f(a, b, c) of three weights, a few updates of each."),
            (),
            partial(_on_neuron, name, {"lr": 0.01}),
        )
        for name, kind in OPTIMIZERS.items()
        if name not in ("sgd", "adam", "adamw")
    ]
    return {topic.name: topic for topic in (*TOLD, *others)}
