"""Adam as the course prints it, wrong in three places, beside the correct one on the same numbers.

V is computed from S; the bias correction is inside the recursion; the square of the slope is called the
second derivative. Each mistake can be switched on alone; without any it is Adam.
"""

import math
from dataclasses import dataclass
from functools import cache

from treino.base.formula import Expr, Formula, Symbol, derivative, sqrt, value
from treino.base.words import _
from treino.inspection import (
    START,
    SYMBOLS,
    Chart,
    ChartLine,
    Explanation,
    ExplanationPart,
    Neuron,
    OptimizerResult,
    Step,
    StepTable,
    slopes,
    update,
    walk,
)
from treino.inspection.microscope import reference

LR, BETAS, EPS = 0.02, (0.9, 0.999), 1e-8  # as in treino explain adam
LONG = 200  # updates of the comparison
SEEN = (1, 10, 50, 200)


@dataclass(frozen=True)
class Course:
    """The mistakes that are switched on."""

    from_s: bool = True
    inside: bool = True
    second: bool = True


ADAM = Course(False, False, False)
SQUARED = Course(second=False)  # as printed, but with the square in place of the second derivative


def move(
    w: float,
    g: float,
    curvature: float,
    V: float,
    S: float,
    t: int,
    course: Course,
    lr: float = LR,
) -> OptimizerResult:
    """V, S and the weight after one update."""
    b1, b2, time = Symbol("β", BETAS[0], "1"), Symbol("β", BETAS[1], "2"), Symbol("t", float(t))
    slope = Symbol("∂f/∂a", g)
    square: Expr = Symbol("∂²f/∂a²", curvature) if course.second else slope**2
    old = Symbol("S", S) if course.from_s else Symbol("V", V, "t−1")
    first: Expr = b1 * old + (1 - b1) * slope
    second: Expr = b2 * Symbol("S", S) + (1 - b2) * square
    if course.inside:
        first, second = first / (1 - b1**time), second / (1 - b2**time)
    new_V, new_S = Formula(Symbol("V", 0.0), first), Formula(Symbol("S", 0.0), second)
    up, down = Symbol("V", new_V.value), Symbol("S", new_S.value)
    if course.inside:
        way = Symbol("α", lr) * up / (sqrt(down) + Symbol("ε", EPS))
    else:
        way = Symbol("α", lr) * (up / (1 - b1**time)) / (sqrt(down / (1 - b2**time)) + Symbol("ε", EPS))
    new = Formula(Symbol("a", 0.0, "otim"), Symbol("a", w) - way)
    steps = (
        Step(_("V"), new_V, wrong=True),
        Step(_("S"), new_S, wrong=True),
        Step(_("The new weight"), new, wrong=True),
    )
    return OptimizerResult(steps, new.value, {"V": new_V.value, "S": new_S.value})


@cache
def bends() -> tuple[Expr, ...]:
    """The second derivatives ∂²f/∂a², ∂²f/∂b², ∂²f/∂c² as expression trees."""
    return tuple(derivative(slope, s) for slope, s in zip(slopes(), SYMBOLS, strict=True))


def curvature(neuron: Neuron) -> list[float]:
    at = dict(zip(SYMBOLS, neuron.weights, strict=True))
    return [value(bend, at) for bend in bends()]


def curvatures(neuron: Neuron) -> list[float]:
    """∂²f/∂a², ∂²f/∂b², ∂²f/∂c² at the neuron's weights."""
    at = dict(zip(SYMBOLS, neuron.weights, strict=True))
    return [value(derivative(slope, symbol), at) for symbol, slope in zip(SYMBOLS, slopes(), strict=True)]


def losses(course: Course, updates: int = LONG) -> list[float]:
    """f of the example's neuron before each update and after the last."""
    neuron, states = Neuron(START), [(0.0, 0.0)] * len(START)
    found = [neuron.loss]
    for t in range(1, updates + 1):
        bends = curvatures(neuron) if course.second else [0.0] * len(START)
        moved = [
            move(w, g, bend, *state, t, course)
            for w, g, bend, state in zip(neuron.weights, neuron.gradient, bends, states, strict=True)
        ]
        neuron = Neuron(tuple(each.weight for each in moved))
        states = [(each.state["V"], each.state["S"]) for each in moved]
        found.append(neuron.loss)
    return found


@cache
def compared() -> tuple[tuple[str, tuple[float, ...]], ...]:
    """(name, losses) of Adam, of each mistake alone, and of all three, on the same problem."""
    ways = {
        "adam": ADAM,
        "from_s": Course(True, False, False),
        "inside": Course(False, True, False),
        "second": Course(False, False, True),
        "squared": SQUARED,
        "printed": Course(),
    }
    return tuple((name, tuple(losses(course))) for name, course in ways.items())


def explanation() -> Explanation:
    """The course's first updates of the neuron of ``treino explain adam``, and each mistake's effect."""
    settings = {"lr": LR, "betas": BETAS, "eps": EPS}
    stops = walk(lambda w, g, state, t: update("adam", w, g, state, settings, t), updates=1)
    first, second = (stop.neuron for stop in stops)
    printed = move(first.weights[0], first.gradient[0], curvature(first)[0], 0.0, 0.0, 1, Course())
    known = move(first.weights[0], first.gradient[0], 0.0, 0.0, 0.0, 1, SQUARED)
    again = move(known.weight, second.gradient[0], 0.0, known.state["V"], known.state["S"], 2, SQUARED)
    return Explanation(
        "adam",
        _("adam: steps of the gradient's mean over the root of its mean square"),
        _("As the course prints it, on the numbers of treino explain adam, and what that does to training."),
        (
            ExplanationPart(_("As the course prints it: update 1"), (slips(), *printed.steps)),
            ExplanationPart(_("With the square for the second derivative: update 1"), known.steps),
            ExplanationPart(_("With the square for the second derivative: update 2"), again.steps),
            training_part(),
        ),
        (),
        (reference.ADAM, reference.torch_page("torch.optim.Adam")),
    )


def slips() -> Step:
    text = _(
        "Three slips. V is built from S: a mean of squares, soon positive whichever way the slope points, so "
        "the weight goes down where it should go up. Both are divided inside the recursion, so the "
        "correction is made again at every update, and S grows without end. And ∂f/∂a² is called the second "
        "derivative; Adam squares the first: (∂f/∂a)²."
    )
    return Step(_("What is wrong with it"), text=text)


def training_part() -> ExplanationPart:
    """The effect of each mistake on training."""
    names = {
        "adam": _("Adam"),
        "from_s": _("V built from S"),
        "inside": _("correction inside"),
        "second": _("second derivative"),
        "squared": _("V from S, inside"),
        "printed": _("all three, as printed"),
    }
    curves = compared()
    rows: tuple[tuple[str | float | int, ...], ...] = tuple(
        (names[name], *(f[t] for t in SEEN)) for name, f in curves
    )
    heads = (_("the same neuron, lr {lr}").format(lr=LR), *(_("f after {t}").format(t=t) for t in SEEN))
    drawn = {
        name: tuple((float(t), max(v, 1e-12)) for t, v in enumerate(f) if not math.isnan(v))
        for name, f in curves
        if math.isfinite(f[1])
    }
    lines = tuple(ChartLine(names[name], f, dashed=name != "adam") for name, f in drawn.items())
    picture = Chart(_("f, update by update"), _("updates"), "f", lines, log_y=True)
    text = _(
        "From S, V has the wrong sign and f rises. Divided inside the recursion, S grows at every update and "
        "the steps die. NaN: a second derivative may be negative, and the root of that is no number."
    )
    return ExplanationPart(
        _("What the slips do to training"),
        (
            Step(
                _("Trained with each slip alone, and with all three"),
                None,
                text,
                table=StepTable(heads, rows),
                picture=picture,
            ),
        ),
    )
