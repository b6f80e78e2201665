"""An optimizer's update of one weight, formula by formula, with weight decay's two ways into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treino.base.formula import Symbol
from treino.base.words import _
from treino.engine import HP, OPTIMIZERS, UpdateInputs
from treino_microscope.explanation import Step, equation


@dataclass(frozen=True)
class OptimizerResult:
    """The explanation's steps, the new weight, and the optimizer's new state ``{torch's name: number}``."""

    steps: tuple[Step, ...]
    weight: float
    state: dict[str, float]


def update(
    name: str,
    w: float,
    g: float,
    state: Mapping[str, float],
    settings: Mapping[str, Any],
    t: int = 1,
    prime: str = "",
) -> OptimizerResult:
    """The optimizer's update of one weight, after its decay: the weight shrinks by itself (Loshchilov &
    Hutter), or the gradient of an L2 penalty is added.

    settings: as torch's class takes them; others have defaults. t: the number of the update, from 1. prime:
    the mark of the gradient's symbol, if the gradient was changed before.
    """
    kind, hp = OPTIMIZERS[name], {**HP, **settings}
    if "betas" in settings:
        hp["beta1"], hp["beta2"] = settings["betas"]
    weight, gradient = Symbol("w", w, "t"), Symbol("g", g, "t", prime)
    eta, decay = Symbol("η", hp["lr"]), Symbol("λ", settings.get("weight_decay", 0.0))
    steps: list[Step] = []
    if decay.number and kind.decoupled:
        shrunk = equation("w", weight * (1 - eta * decay), "t", "′")
        steps.append(Step(_("Decoupled decay: the weight shrinks by itself"), shrunk))
        weight = Symbol("w", shrunk.value, "t", "′")
    elif decay.number:
        into = equation("g", gradient + decay * weight, "t", prime + "′")
        steps.append(Step(_("L2 decay: λ times the weight goes into the gradient"), into))
        gradient = Symbol("g", into.value, "t", prime + "′")
    before = {kept: state.get(kept, 0.0) for kept in kind.states}
    nesterov = bool(settings.get("nesterov", False))
    lines = kind.lines(UpdateInputs(weight, gradient, before, hp, t, nesterov))
    steps += [Step(_(line.about), line.formula) for line in lines]
    after = {line.state: line.formula.value for line in lines if line.state}
    return OptimizerResult(tuple(steps), lines[-1].formula.value, after)
