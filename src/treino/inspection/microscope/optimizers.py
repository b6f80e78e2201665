"""Each optimizer's update of one weight, formula by formula.

The functions are pure functions of numbers, for the example and for runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from treino.base.formula import Formula, Symbol
from treino.base.words import _
from treino.engine import optim
from treino.engine.optim import Line, UpdateInputs
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


def moved(lines: tuple[Line, ...]) -> OptimizerResult:
    """Convert the lines of an optimizer's update to steps of an explanation."""
    steps = tuple(Step(_(line.about), line.formula) for line in lines)
    state = {line.state: line.formula.value for line in lines if line.state}
    return OptimizerResult(steps, lines[-1].formula.value, state)


def inputs(
    w: float, g: float, state: Mapping[str, float], hp: Mapping[str, float], t: int = 1,
    nesterov: bool = False, marks: Marks = PLAIN,
) -> UpdateInputs:  # fmt: skip
    """The inputs of an optimizer's formulas. t counts updates from 1."""
    weight, gradient = Symbol("w", w, "t", marks.weight), Symbol("g", g, "t", marks.gradient)
    return UpdateInputs(weight, gradient, state, hp, t, nesterov)


def sgd(w: float, g: float, lr: float, marks: Marks = PLAIN) -> OptimizerResult:
    return moved(optim.sgd(inputs(w, g, {}, {"lr": lr, "momentum": 0.0}, marks=marks)))


def momentum(
    w: float, g: float, v: float, lr: float, mu: float, nesterov: bool = False, marks: Marks = PLAIN
) -> OptimizerResult:
    hp = {"lr": lr, "momentum": mu}
    return moved(optim.sgd(inputs(w, g, {"momentum_buffer": v}, hp, 1, nesterov, marks)))


def adam(
    w: float, g: float, m: float, v: float, t: int, lr: float, betas: tuple[float, float], eps: float,
    marks: Marks = PLAIN,
) -> OptimizerResult:  # fmt: skip
    hp = {"lr": lr, "beta1": betas[0], "beta2": betas[1], "eps": eps}
    return moved(optim.adam(inputs(w, g, {"exp_avg": m, "exp_avg_sq": v}, hp, t, marks=marks)))


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
