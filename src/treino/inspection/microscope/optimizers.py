"""An optimizer's update of one weight, formula by formula, and weight decay's two ways into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treino.base.formula import Formula, Symbol
from treino.base.words import _
from treino.engine.optim import HP, OPTIMIZERS, UpdateInputs
from treino.inspection.microscope.explanation import Step


@dataclass(frozen=True)
class Marks:
    """Prime marks on the symbols of the optimizer's inputs: of a decayed weight, of a changed gradient."""

    weight: str = ""
    gradient: str = ""


PLAIN, SHRUNK, PENALISED = Marks(), Marks(weight="′"), Marks(gradient="′")


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
    marks: Marks = PLAIN,
) -> OptimizerResult:
    """The optimizer's update of one weight. settings: as torch's class takes them; others have defaults.
    t: the number of the update, from 1."""
    hp: dict[str, Any] = {**HP, **settings}
    if "betas" in settings:
        hp["beta1"], hp["beta2"] = settings["betas"]
    weight, gradient = Symbol("w", w, "t", marks.weight), Symbol("g", g, "t", marks.gradient)
    before = {kept: state.get(kept, 0.0) for kept in OPTIMIZERS[name].states}
    nesterov = bool(settings.get("nesterov", False))
    lines = OPTIMIZERS[name].lines(UpdateInputs(weight, gradient, before, hp, t, nesterov))
    steps = tuple(Step(_(line.about), line.formula) for line in lines)
    after = {line.state: line.formula.value for line in lines if line.state}
    return OptimizerResult(steps, lines[-1].formula.value, after)


def shrunk(w: float, lr: float, decay: float) -> Step:
    """AdamW's decay, which shrinks the weight separately from the gradient (Loshchilov & Hutter)."""
    shrink = Symbol("w", w, sub="t") * (1 - Symbol("η", lr) * Symbol("λ", decay))
    return Step(
        _("Decoupled decay: the weight shrinks by itself"),
        Formula(Symbol("w", 0.0, sub="t", sup="′"), shrink),
    )


def penalised(w: float, g: float, decay: float, marks: Marks = PLAIN) -> Step:
    """The L2 penalty: λ w is added to the gradient, whose symbol gets another prime."""
    added = Symbol("g", g, sub="t", sup=marks.gradient) + Symbol("λ", decay) * Symbol("w", w, sub="t")
    return Step(
        _("L2 decay: λ times the weight goes into the gradient"),
        Formula(Symbol("g", 0.0, sub="t", sup=marks.gradient + "′"), added),
    )
