"""Topic: learning rates that are too small, good and too large, on a parabola and along a run's gradient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from treino.base.formula import Formula, Symbol, derivative, value
from treino.base.words import N_, _, numeral
from treino.engine.activations import ACTIVATIONS
from treino.inspection.microscope.explanation import (
    Chart,
    ChartLine,
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
    Topic,
    relative,
)
from treino.inspection.microscope.reference import SGD, passed, stepped, torch_page, worked
from treino.inspection.microscope.run_explanation import about, title
from treino.inspection.microscope.update import Update

SOURCES = (
    SGD,
    "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, Neural Networks: Tricks of the Trade",
    torch_page("torch.optim.SGD"),
)
RATES = {0.02: N_("too small"), 0.4: N_("good"), 0.97: N_("oscillates"), 1.05: N_("too large")}
START, BOTTOM, UPDATES = 0.0, 3.0, 12
SEEN = 4  # updates shown on the parabola
GRID = 41


@dataclass(frozen=True)
class Descent:
    """Gradient descent on f(w) = (w − 3)². w: the weight before each update and after the last."""

    rate: float
    w: tuple[float, ...]


def descend(rate: float, updates: int = UPDATES) -> Descent:
    weights = [START]
    for _update in range(updates):
        weights.append(value(_next(weights[-1], rate).right))
    return Descent(rate, tuple(weights))


def _next(w: float, rate: float) -> Formula:
    at = Symbol("w", w, "t")
    slope = derivative((at - BOTTOM) ** 2, at)
    return Formula(Symbol("w", 0.0, "t+1"), at - Symbol("η", rate) * slope)


def example() -> Explanation:
    descents = [descend(rate) for rate in RATES]
    parts = [_valley(descents)]
    for descent in descents:
        eta = Symbol("η", descent.rate)
        shrink = Formula(Symbol("q", 0.0), 1 - 2 * eta)
        first = Step(_("The first update"), _next(START, descent.rate))
        again = Step(_("The second"), _next(descent.w[1], descent.rate))
        factor = Step(
            _("What every update multiplies the distance to the bottom with"),
            shrink,
            _("Below 1 in size it comes nearer; below 0 it jumps to the other side each time."),
        )
        name = _("{rate:g}: {what}").format(rate=descent.rate, what=_(RATES[descent.rate]))
        parts.append(ExplanationPart(name, (first, again, factor)))
    return Explanation(
        "learning-rate",
        _("learning-rate: too small, good, too large"),
        _("Gradient descent on the valley f(w) = (w − 3)², from 0, with four learning rates."),
        tuple(parts),
        (_slope_check(), *(check for descent in descents for check in _checks(descent))),
        SOURCES,
    )


def _name(descent: Descent) -> str:
    return f"{_(RATES[descent.rate])}, {numeral(descent.rate, 'g')}"


def _valley(descents: Sequence[Descent]) -> ExplanationPart:
    curve = tuple((float(w), float((w - BOTTOM) ** 2)) for w in np.linspace(-1.6, 7.6, 93))
    lines = [
        ChartLine(_name(d), tuple((w, (w - BOTTOM) ** 2) for w in d.w[: SEEN + 1]), dots=True)
        for d in descents
    ]
    lines.append(ChartLine(_("the valley"), curve, dashed=True))
    away = tuple(
        ChartLine(
            _name(d), tuple((float(t), max(abs(w - BOTTOM), 1e-9)) for t, w in enumerate(d.w)), dots=True
        )
        for d in descents
    )
    rows = tuple((t, *(d.w[t] for d in descents)) for t in range(UPDATES + 1))
    heads = (_("after update"), *map(_name, descents))
    text = _(
        "A larger rate is faster up to a point: here 0.5 lands in one step. From 0.5 to 1 it jumps from "
        "side to side and still comes down; above 1 it climbs out of the valley."
    )
    return ExplanationPart(
        _("One valley, four rates"),
        (
            Step(
                _("Where the first updates land"),
                text=text,
                picture=Chart(_("The valley f(w) = (w − 3)²"), "w", "f(w)", tuple(lines)),
            ),
            Step(
                _("How far from the bottom"),
                picture=Chart(_("Distance to the bottom"), _("updates"), "|w − 3|", away, log_y=True),
            ),
            Step(_("w, update by update"), table=StepTable(heads, rows)),
        ),
    )


def _checks(descent: Descent) -> tuple[Check, ...]:
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=descent.rate)
    for _update in range(UPDATES):
        optimizer.zero_grad()
        ((w - BOTTOM) ** 2).backward()
        optimizer.step()
    ours = descent.w[-1]
    closed = BOTTOM + (START - BOTTOM) * (1 - 2 * descent.rate) ** UPDATES
    name = f"w₁₂, η = {numeral(descent.rate, 'g')}"
    return (
        Check(
            _("{what}: torch.optim.SGD").format(what=name),
            ours,
            float(w.detach()),
            relative(ours, 1.0, share=1e-11),
        ),
        Check(
            _("{what}: 3 − 3 (1 − 2η)¹²").format(what=name), ours, closed, relative(ours, 1.0, share=1e-11)
        ),
    )


def _slope_check() -> Check:
    at = Symbol("w", START)
    h, slope = 1e-6, value(derivative((at - BOTTOM) ** 2, at))
    central = ((START + h - BOTTOM) ** 2 - (START - h - BOTTOM) ** 2) / (2 * h)
    return Check(_("The slope at the start: central finite difference"), slope, central, 1e-8)


# ---- a run


@dataclass(frozen=True)
class GradientLine:
    """The batch's loss along its gradient g. square: ‖g‖². curvature: gᵀHg. rates, losses: a grid of η and
    L(θ − η g)."""

    square: float
    curvature: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]


def loss_at(update: Update, rate: float) -> float:
    """L(θ − η g) of the batch, computed in NumPy."""
    layers = stepped(update.layers, update.gradients, rate)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        out = passed(layers, update.batch.x, update.batch.masks, np.zeros_like)[-1].h
        return worked(update.loss, out, update.batch.y).loss


def along(update: Update) -> GradientLine:
    square = sum(float(np.square(g).sum()) for g in update.gradients.values())
    h = 1e-4 / max(1.0, math.sqrt(square))
    L = update.worked.loss
    curvature = (loss_at(update, h) - 2 * L + loss_at(update, -h)) / h**2
    lr = update.hp["lr"]
    best = square / curvature if curvature > 0 else lr
    rates = tuple(float(r) for r in np.geomspace(min(lr, best) / 30, max(lr, best) * 30, GRID))
    return GradientLine(square, curvature, rates, tuple(loss_at(update, r) for r in rates))


def of(update: Update) -> Explanation:
    gradient_line, L, lr = along(update), update.worked.loss, update.hp["lr"]
    eta, loss = Symbol("η", lr), Symbol("L", L)
    square, bend = Symbol("‖g‖²", gradient_line.square), Symbol("gᵀHg", gradient_line.curvature)
    line = Formula(Symbol("L", 0.0, "line"), loss - eta * square)
    parabola = Formula(Symbol("L", 0.0, "valley"), loss - eta * square + eta**2 * bend / 2)
    real = loss_at(update, lr)
    steps = [
        Step(_("As a straight slope: what a step of η would gain if nothing bent"), line),
        Step(_("As a valley: the bend of the loss along g, by second differences, added"), parabola),
        Step(
            _("As it is: the loss of this batch after w − η g, in every weight"),
            Formula(Symbol("L", 0.0, "real"), Symbol("L(θ − η g)", real)),
        ),
    ]
    if gradient_line.curvature > 0:
        best = Formula(Symbol("η", 0.0, "best"), square / bend)
        twice = Formula(Symbol("η", 0.0, "max"), 2 * square / bend)
        steps += [
            Step(_("The bottom of that valley is at"), best),
            Step(
                _("Twice as far the valley is as high as here: beyond, the loss of this batch rises"), twice
            ),
        ]
    else:
        steps.append(
            Step(_("The loss bends downwards along g"), text=_("This batch has no bottom in sight that way."))
        )
    lowest = min(
        zip(gradient_line.losses, gradient_line.rates, strict=True),
        key=lambda pair: pair[0] if math.isfinite(pair[0]) else math.inf,
    )
    lines = [
        ChartLine(
            _("loss of this batch"), tuple(zip(gradient_line.rates, gradient_line.losses, strict=True))
        ),
        ChartLine(_("loss now"), tuple((r, L) for r in gradient_line.rates), dashed=True),
        ChartLine(_("this run's lr, {lr:g}").format(lr=lr), ((lr, real),), dots=True),
        ChartLine(_("lowest, at {rate:.3g}").format(rate=lowest[1]), ((lowest[1], lowest[0]),), dots=True),
    ]
    curves = tuple(
        ChartLine(
            line.name, tuple((x, y) for x, y in line.points if y <= 3 * max(L, 1e-12)), line.dots, line.dashed
        )
        for line in lines
    )
    picture = Chart(
        _("The loss of the batch along its gradient"), _("learning rate η"), "L(θ − η g)", curves, log_x=True
    )
    places = range(0, GRID, 5)
    table = StepTable(
        ("η", "L(θ − η g)"), tuple((gradient_line.rates[k], gradient_line.losses[k]) for k in places)
    )
    optimizer = _way_of(update)
    note = optimizer and _(
        "This is the plain gradient's way. {optimizer} goes another one: its lr is not to be read off here."
    ).format(optimizer=optimizer)
    steps.append(Step(_("Too small, good, too large"), text=note, table=table, picture=picture))
    return Explanation(
        "learning-rate",
        title(update, "learning-rate"),
        about(update),
        (ExplanationPart(_("The loss along its gradient"), tuple(steps)),),
        _run_checks(update, gradient_line, real),
        SOURCES,
    )


def _way_of(update: Update) -> str:
    """The name of an optimizer whose update differs from this batch's plain gradient, else ""."""
    if update.optimizer != "sgd":
        return update.optimizer
    if update.hp["momentum"]:
        return _("sgd with momentum")
    return _("sgd with weight decay") if update.hp["weight_decay"] else ""


def _run_checks(update: Update, gradient_line: GradientLine, real: float) -> tuple[Check, ...]:
    net = update.module()
    L = update.torch_loss(net)
    parameters = [p for p in net.parameters() if p.requires_grad]
    gradient = torch.autograd.grad(L, parameters, create_graph=True)
    square = sum((g * g).sum() for g in gradient)
    assert isinstance(square, torch.Tensor)
    through = (
        torch.autograd.grad(square, parameters)
        if square.requires_grad
        else tuple(map(torch.zeros_like, parameters))
    )
    curvature = float(sum((b * g.detach()).sum() for b, g in zip(through, gradient, strict=True))) / 2
    with torch.no_grad():
        for p, g in zip(parameters, gradient, strict=True):
            p.sub_(update.hp["lr"] * g)
        theirs = float(update.torch_loss(net))
    h = 1e-5 / max(1.0, math.sqrt(gradient_line.square))
    slope = (loss_at(update, h) - loss_at(update, -h)) / (2 * h)
    ours = -gradient_line.square
    size = max(1.0, abs(float(L.detach())))
    checks = [
        Check(
            _("‖g‖²: torch.autograd, float64"),
            gradient_line.square,
            float(square.detach()),
            relative(gradient_line.square, share=1e-10) + 1e-18,
        ),
        Check(_("L(θ − η g): torch after one step of SGD"), real, theirs, 1e-10 * max(size, abs(theirs))),
        Check(
            _("The slope along g, −‖g‖²: central difference"),
            ours,
            slope,
            1e-3 * gradient_line.square + 1e-8 * size,
        ),
    ]
    if not kinked(update):
        within = 1e-3 * abs(curvature) + 1e-5 * size * max(1.0, gradient_line.square)
        checks.append(
            Check(_("gᵀHg: torch, twice differentiated"), gradient_line.curvature, curvature, within)
        )
    return tuple(checks)


def kinked(update: Update) -> bool:
    """Whether an activation or the loss has kinks, at which second differences are invalid."""
    terms = update.loss.kind.terms
    acts = [ACTIVATIONS[layer.act].kinks for layer in update.layers if layer.act]
    return any(acts) or (terms is not None and bool(terms.kinks))


TOPIC = Topic(
    "learning-rate",
    N_("too small, good, too large: on a valley, or along a run's gradient"),
    example,
    of,
)
