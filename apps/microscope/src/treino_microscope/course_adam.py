"""Adam as the course prints it, wrong in four places, beside the correct one on the same numbers.

V is computed from S; the bias correction is inside the recursion; the square of the slope is called the
second derivative; t is the number of updates already made. Each mistake can be switched on alone; without
any it is Adam.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import torch

from treino.base.formula import Expr, Formula, Symbol, derivative, sqrt, value
from treino.base.words import N_, _
from treino.cli.screen import Screen
from treino_microscope.explanation import (
    Chart,
    ChartLine,
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
)
from treino_microscope.optimizer_topics import START, SYMBOLS, Neuron, slopes, torch_f, walk
from treino_microscope.optimizers import OptimizerResult, update
from treino_microscope.reference import ADAM as ADAM_PAPER
from treino_microscope.reference import torch_page
from treino_microscope.text import document, rendered

LR, BETAS, EPS = 0.02, (0.9, 0.999), 1e-8  # as in treino explain adam
LONG = 200  # updates of the comparison
SEEN = (1, 10, 50, 200)


@dataclass(frozen=True)
class Course:
    """The mistakes that are switched on."""

    from_s: bool = True
    inside: bool = True
    second: bool = True
    made: bool = True


ADAM = Course(False, False, False, False)
COUNTED = Course(made=False)  # as printed, but t counts the present update, too
SQUARED = Course(second=False, made=False)  # and with the square in place of the second derivative


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
    """V, S and the weight after update number t, from 1 on."""
    b1, b2 = Symbol("β", BETAS[0], "1"), Symbol("β", BETAS[1], "2")
    time = Symbol("t", float(t - course.made))
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
    """∂²f/∂a², ∂²f/∂b², ∂²f/∂c² as expression trees."""
    return tuple(derivative(slope, symbol) for symbol, slope in zip(SYMBOLS, slopes(), strict=True))


def curvatures(neuron: Neuron) -> list[float]:
    """The second derivatives at the neuron's weights."""
    at = dict(zip(SYMBOLS, neuron.weights, strict=True))
    return [value(bend, at) for bend in bends()]


def losses(course: Course, updates: int = LONG) -> list[float]:
    """f of the example's neuron before each update and after the last."""
    neuron, states = Neuron(START), [(0.0, 0.0)] * len(START)
    found = [neuron.loss]
    for t in range(1, updates + 1):
        bent = curvatures(neuron) if course.second else [0.0] * len(START)
        moved = [
            move(w, g, bend, *state, t, course)
            for w, g, bend, state in zip(neuron.weights, neuron.gradient, bent, states, strict=True)
        ]
        neuron = Neuron(tuple(each.weight for each in moved))
        states = [(each.state["V"], each.state["S"]) for each in moved]
        found.append(neuron.loss)
    return found


WAYS = {
    "adam": (N_("Adam"), ADAM),
    "from_s": (N_("V built from S"), Course(True, False, False, False)),
    "inside": (N_("correction inside"), Course(False, True, False, False)),
    "second": (N_("second derivative"), Course(False, False, True, False)),
    "made": (N_("t from 0"), Course(False, False, False, True)),
    "squared": (N_("V from S, inside"), SQUARED),
    "printed": (N_("all four, as printed"), Course()),
}


@cache
def compared() -> tuple[tuple[str, tuple[float, ...]], ...]:
    """(name, losses) of Adam, of each mistake alone, of two, and of all four, on the same problem."""
    return tuple((name, tuple(losses(course))) for name, (_about, course) in WAYS.items())


def explanation() -> Explanation:
    """The course's first updates of the neuron of ``treino explain adam``, and each mistake's effect."""
    settings = {"lr": LR, "betas": BETAS, "eps": EPS}
    stops = walk(lambda w, g, state, t: update("adam", w, g, state, settings, t), updates=1)
    first, second = (stop.neuron for stop in stops)
    a, g, curvature = first.weights[0], first.gradient[0], curvatures(first)[0]
    printed, counted = (move(a, g, curvature, 0.0, 0.0, 1, course) for course in (Course(), COUNTED))
    known = move(a, g, 0.0, 0.0, 0.0, 1, SQUARED)
    again = move(known.weight, second.gradient[0], 0.0, known.state["V"], known.state["S"], 2, SQUARED)
    return Explanation(
        "adam",
        _("adam: steps of the gradient's mean over the root of its mean square"),
        _("As the course prints it, on the numbers of treino explain adam, and what that does to training."),
        (
            ExplanationPart(_("As the course prints it: update 1"), (slips(), *printed.steps[:2])),
            ExplanationPart(_("With t = 1 for the first update: update 1"), counted.steps),
            ExplanationPart(_("With the square for the second derivative: update 1"), known.steps),
            ExplanationPart(_("With the square for the second derivative: update 2"), again.steps),
            training_part(),
        ),
        tuple(checks(curvature)),
        (ADAM_PAPER, torch_page("torch.optim.Adam")),
    )


def show(screen: Screen) -> None:
    """Print the explanation, for ``python -m treino_lessons adam``."""
    shown = explanation()
    for piece in rendered(shown):
        screen.out.print(piece)
    screen.document(document(shown))


def checks(curvature: float) -> Iterator[Check]:
    """Checks of the second derivative, and of the trainings that keep finite, against torch."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch_f(w), w, create_graph=True)
    (bend,) = torch.autograd.grad(slope[0], w)
    yield Check(_("∂²f/∂a² at the start: torch.autograd"), curvature, float(bend[0]), 1e-12)
    name = _("{way}, f after {n} updates: {by}")
    for way, found in compared():
        by = "torch.optim.Adam" if way == "adam" else _("torch.autograd and the formulas in tensors")
        if math.isfinite(found[-1]):
            about, course = WAYS[way]
            theirs = torch_loss(None if way == "adam" else course)
            yield Check(name.format(way=_(about), n=LONG, by=by), found[-1], theirs, 1e-9 * theirs)


def torch_loss(course: Course | None) -> float:
    """f after the last update, by torch in float64. course: its slips in V and S; None: torch's own Adam."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=LR, betas=BETAS, eps=EPS)
    V = S = torch.zeros(len(START), dtype=torch.float64)
    for t in range(1, LONG + 1):
        (g,) = torch.autograd.grad(torch_f(w), w)
        if course is None:
            w.grad = g
            optimizer.step()
            continue
        one, two = (1 - beta**t for beta in BETAS)
        V = BETAS[0] * (S if course.from_s else V) + (1 - BETAS[0]) * g
        S = BETAS[1] * S + (1 - BETAS[1]) * g * g
        if course.inside:
            V, S, one, two = V / one, S / two, 1.0, 1.0
        with torch.no_grad():
            w -= LR * (V / one) / ((S / two).sqrt() + EPS)
    return float(torch_f(w.detach()))


def slips() -> Step:
    text = _(
        "Four slips. V is built from S: a mean of squares, soon positive whichever way the slope points, so "
        "the weight goes down where it should go up. Both are divided inside the recursion, so the "
        "correction is made again at every update, and S grows without end. ∂f/∂a² is called the second "
        "derivative; Adam squares the first: (∂f/∂a)². And t is “the number of iterations already made”, 0 "
        "at the first one, which then divides by 1 − β⁰ = 0; Adam's t counts the present one, too."
    )
    return Step(_("What is wrong with it"), text=text)


def training_part() -> ExplanationPart:
    """The effect of each mistake on training."""
    curves, called = compared(), {name: _(about) for name, (about, _course) in WAYS.items()}
    rows: tuple[tuple[str | float | int, ...], ...] = tuple(
        (called[name], *(f[t] for t in SEEN)) for name, f in curves
    )
    heads = (_("the same neuron, lr {lr}").format(lr=LR), *(_("f after {t}").format(t=t) for t in SEEN))
    drawn = {
        name: tuple((float(t), v) for t, v in enumerate(f) if not math.isnan(v))
        for name, f in curves
        if math.isfinite(f[1])
    }
    lines = tuple(ChartLine(called[name], f, dashed=name != "adam") for name, f in drawn.items())
    picture = Chart(_("f, update by update"), _("updates"), "f", lines)
    text = _(
        "From S, V has the wrong sign and f rises. Divided inside the recursion, S grows at every update and "
        "the steps die. NaN: a second derivative may be negative, and the root of that is no number; with t "
        "from 0 the first update divides by 0."
    )
    about = _("Trained with each slip alone, and with all four")
    return ExplanationPart(
        _("What the slips do to training"),
        (Step(about, None, text, table=StepTable(heads, rows), picture=picture),),
    )
