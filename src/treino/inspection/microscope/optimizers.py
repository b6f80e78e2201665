"""One weight, one update: what each optimizer does with a gradient, formula by formula.

Pure functions of numbers, used with the numbers of the pages' own example and with those of a run.
"""

from dataclasses import dataclass

from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.formula import Expr, Formula, Symbol, sqrt
from treino.words import _


@dataclass(frozen=True)
class Marks:
    """Primes on what the optimizer is given: of a weight that has shrunk, of a gradient that was changed."""

    weight: str = ""
    gradient: str = ""


PLAIN, SHRUNK, PENALISED = Marks(), Marks(weight="′"), Marks(gradient="′")


@dataclass(frozen=True)
class OptimizerResult:
    """The steps, the weight after them, and what the optimizer keeps: ``{torch's name: number}``."""

    steps: tuple[Step, ...]
    weight: float
    state: dict[str, float]


def sign(name: str, number: float, sub: str = "", sup: str = "") -> Symbol:
    return Symbol(name, number, sub, sup)


def sgd(w: float, g: float, lr: float, marks: Marks = PLAIN) -> OptimizerResult:
    """w ← w − η g, Robbins & Monro 1951."""
    gradient = sign("g", g, sub="t", sup=marks.gradient)
    new = sign("w", w, sub="t", sup=marks.weight) - sign("η", lr) * gradient
    step = Step(_("The new weight"), _becomes(new))
    return OptimizerResult((step,), step.formula.value if step.formula else w, {})


def momentum(
    w: float, g: float, v: float, lr: float, mu: float, nesterov: bool = False, marks: Marks = PLAIN
) -> OptimizerResult:
    """v ← μ v + g, then w ← w − η v, as torch has it (Sutskever et al. 2013); Nesterov: w − η (g + μ v)."""
    gradient = sign("g", g, sub="t", sup=marks.gradient)
    velocity = Formula(sign("v", 0.0, sub="t"), sign("μ", mu) * sign("v", v, sub="t−1") + gradient)
    now = sign("v", velocity.value, sub="t")
    steps = [Step(_("The velocity: the old one, slowed down, and the new gradient"), velocity)]
    way: Expr = now
    if nesterov:
        ahead = Formula(sign("d", 0.0, sub="t"), gradient + sign("μ", mu) * now)
        steps.append(Step(_("Nesterov: one slowed-down velocity further"), ahead))
        way = sign("d", ahead.value, sub="t")
    new = _becomes(sign("w", w, sub="t", sup=marks.weight) - sign("η", lr) * way)
    steps.append(Step(_("The new weight"), new))
    return OptimizerResult(tuple(steps), new.value, {"momentum_buffer": velocity.value})


def adam(
    w: float, g: float, m: float, v: float, t: int, lr: float, betas: tuple[float, float], eps: float,
    marks: Marks = PLAIN,
) -> OptimizerResult:  # fmt: skip
    """Kingma & Ba 2015, algorithm 1; t counts updates from 1 on."""
    b1, b2, time = sign("β", betas[0], sub="1"), sign("β", betas[1], sub="2"), sign("t", float(t))
    gradient = sign("g", g, sub="t", sup=marks.gradient)
    first = Formula(sign("m", 0.0, sub="t"), b1 * sign("m", m, sub="t−1") + (1 - b1) * gradient)
    second = Formula(sign("v", 0.0, sub="t"), b2 * sign("v", v, sub="t−1") + (1 - b2) * gradient**2)
    mean, square = sign("m", first.value, sub="t"), sign("v", second.value, sub="t")
    first_hat = Formula(Symbol("m", 0.0, "t", hat=True), mean / (1 - b1**time))
    second_hat = Formula(Symbol("v", 0.0, "t", hat=True), square / (1 - b2**time))
    mean_hat = Symbol("m", first_hat.value, "t", hat=True)
    square_hat = Symbol("v", second_hat.value, "t", hat=True)
    weight = sign("w", w, sub="t", sup=marks.weight)
    new = _becomes(weight - sign("η", lr) * mean_hat / (sqrt(square_hat) + sign("ε", eps)))
    steps = (
        Step(_("The running mean of the gradient"), first),
        Step(_("The running mean of its square: the gradient squared, no second derivative"), second),
        Step(_("Both began at 0, so the first ones are too small; dividing corrects it"), first_hat),
        Step(_("The same for the square. The corrected values are used once and not kept"), second_hat),
        Step(_("The new weight"), new),
    )
    return OptimizerResult(steps, new.value, {"exp_avg": first.value, "exp_avg_sq": second.value})


def shrunk(w: float, lr: float, decay: float) -> Step:
    """AdamW's decay: the weight shrinks by itself, and the gradient doesn't know (Loshchilov & Hutter)."""
    shrink = sign("w", w, sub="t") * (1 - sign("η", lr) * sign("λ", decay))
    return Step(
        _("Decoupled decay: the weight shrinks by itself"), Formula(sign("w", 0.0, sub="t", sup="′"), shrink)
    )


def penalised(w: float, g: float, decay: float, marks: Marks = PLAIN) -> Step:
    """L2: λ w is added to the gradient, which gets one prime more."""
    added = sign("g", g, sub="t", sup=marks.gradient) + sign("λ", decay) * sign("w", w, sub="t")
    return Step(
        _("L2 decay: λ times the weight goes into the gradient"),
        Formula(sign("g", 0.0, sub="t", sup=marks.gradient + "′"), added),
    )


def _becomes(new: Expr) -> Formula:
    return Formula(sign("w", 0.0, sub="t+1"), new)
