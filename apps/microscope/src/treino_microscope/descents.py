"""Topics of plain gradient descent: its learning rate, and what a missing ``zero_grad`` does.

Their examples are the parabola f(w) = (w − 3)², from 0.
"""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from treino.base.formula import Array, Formula, Symbol, derivative, value
from treino.base.words import N_, _, numeral
from treino.engine import ACTIVATIONS
from treino_microscope.explanation import (
    Chart,
    ChartLine,
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
from treino_microscope.reference import SGD, passed, stepped, torch_page, worked
from treino_microscope.run_explanation import gradient_checks, weight_name
from treino_microscope.update import Update, set_masks

START, BOTTOM, UPDATES = 0.0, 3.0, 12


def _slope_check(name: str) -> Check:
    ours = value(derivative((Symbol("w", START) - BOTTOM) ** 2, Symbol("w", START)))
    return Check(name, ours, central(lambda by: (START + by - BOTTOM) ** 2), 1e-8)


# ---- learning rates that are too small, good and too large, on the parabola

RATES = {0.02: N_("too small"), 0.4: N_("good"), 0.97: N_("oscillates"), 1.05: N_("too large")}
SEEN = 4  # updates shown on the parabola


def _next(w: float, rate: float) -> Formula:
    at = Symbol("w", w, "t")
    return equation("w", at - Symbol("η", rate) * derivative((at - BOTTOM) ** 2, at), "t+1")


def _rates() -> Worked:
    weights = {rate: [START] for rate in RATES}
    for rate, w in weights.items():
        while len(w) <= UPDATES:
            w.append(_next(w[-1], rate).value)
    names = {rate: f"{_(what)}, {numeral(rate, 'g')}" for rate, what in RATES.items()}
    valley = [
        ChartLine(names[rate], tuple((w, (w - BOTTOM) ** 2) for w in of[: SEEN + 1]), dots=True)
        for rate, of in weights.items()
    ]
    curve = tuple((w, (w - BOTTOM) ** 2) for w in np.linspace(-1.6, 7.6, 93).tolist())
    valley.append(ChartLine(_("the valley"), curve, dashed=True))
    away = tuple(
        ChartLine(names[rate], tuple((float(t), abs(w - BOTTOM)) for t, w in enumerate(of)), dots=True)
        for rate, of in weights.items()
    )
    text = _(
        "A larger rate is faster up to a point: here 0.5 lands in one step. From 0.5 to 1 it jumps from "
        "side to side and still comes down; above 1 it climbs out of the valley."
    )
    lands = Chart(_("The valley f(w) = (w − 3)²"), "w", "f(w)", tuple(valley))
    distance = Chart(_("Distance to the bottom"), _("updates"), "|w − 3|", away)
    rows = tuple((t, *w) for t, w in enumerate(zip(*weights.values(), strict=True)))
    steps = (
        Step(_("Where the first updates land"), text=text, picture=lands),
        Step(_("How far from the bottom"), picture=distance),
        Step(_("w, update by update"), table=StepTable((_("after update"), *names.values()), rows)),
    )
    parts = [ExplanationPart(_("One valley, four rates"), steps)]
    checks = [_slope_check(_("The slope at the start: central finite difference"))]
    factor = _("What every update multiplies the distance to the bottom with")
    note = _("Below 1 in size it comes nearer; below 0 it jumps to the other side each time.")
    for rate, of in weights.items():
        steps = (
            Step(_("The first update"), _next(START, rate)),
            Step(_("The second"), _next(of[1], rate)),
            Step(factor, equation("q", 1 - 2 * Symbol("η", rate)), note),
        )
        heading = _("{rate:g}: {what}").format(rate=rate, what=_(RATES[rate]))
        parts.append(ExplanationPart(heading, steps))
        closed = BOTTOM + (START - BOTTOM) * (1 - 2 * rate) ** UPDATES
        name, within = f"w₁₂, η = {numeral(rate, 'g')}", relative(of[-1], 1.0, share=1e-11)
        checks += [
            Check(_("{what}: torch.optim.SGD").format(what=name), of[-1], _by_torch(rate), within),
            Check(_("{what}: 3 − 3 (1 − 2η)¹²").format(what=name), of[-1], closed, within),
        ]
    return parts, checks


def _by_torch(rate: float) -> float:
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=rate)
    for _update in range(UPDATES):
        optimizer.zero_grad()
        ((w - BOTTOM) ** 2).backward()
        optimizer.step()
    return float(w.detach())


# ---- the loss of a run's batch along its gradient

GRID = 41


def _loss_at(update: Update, rate: float) -> float:
    """L(θ − η g) of the batch, computed in NumPy."""
    layers = stepped(update.layers, update.gradients, rate)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        out = passed(layers, update.batch.x, update.batch.masks, np.zeros_like)[-1].h
        return worked(update.loss, out, update.batch.y).loss


def _along_gradient(update: Update) -> Worked:
    L, lr = update.worked.loss, update.hp["lr"]
    square = sum(float(np.square(g).sum()) for g in update.gradients.values())
    h = 1e-4 / max(1.0, math.sqrt(square))
    curvature = (_loss_at(update, h) - 2 * L + _loss_at(update, -h)) / h**2
    best = square / curvature if curvature > 0 else lr
    rates = np.geomspace(min(lr, best) / 30, max(lr, best) * 30, GRID).tolist()
    points = [(rate, _loss_at(update, rate)) for rate in rates]
    real = _loss_at(update, lr)
    eta, loss, bend = Symbol("η", lr), Symbol("L", L), Symbol("gᵀHg", curvature)
    length = Symbol("‖g‖²", square)
    steps = [
        Step(
            _("As a straight slope: what a step of η would gain if nothing bent"),
            equation("L", loss - eta * length, "line"),
        ),
        Step(
            _("As a valley: the bend of the loss along g, by second differences, added"),
            equation("L", loss - eta * length + eta**2 * bend / 2, "valley"),
        ),
        Step(
            _("As it is: the loss of this batch after w − η g, in every weight"),
            equation("L", Symbol("L(θ − η g)", real), "real"),
        ),
    ]
    if curvature > 0:
        twice = _("Twice as far the valley is as high as here: beyond, the loss of this batch rises")
        steps += [
            Step(_("The bottom of that valley is at"), equation("η", length / bend, "best")),
            Step(twice, equation("η", 2 * length / bend, "max")),
        ]
    else:
        none = _("This batch has no bottom in sight that way.")
        steps.append(Step(_("The loss bends downwards along g"), text=none))
    low = min(points, key=lambda point: point[1] if math.isfinite(point[1]) else math.inf)
    lines = (
        ChartLine(_("loss of this batch"), tuple(points)),
        ChartLine(_("loss now"), tuple((rate, L) for rate in rates), dashed=True),
        ChartLine(_("this run's lr, {lr:g}").format(lr=lr), ((lr, real),), dots=True),
        ChartLine(_("lowest, at {rate:.3g}").format(rate=low[0]), (low,), dots=True),
    )
    most = 3 * max(L, 1e-12)
    shown = tuple(replace(line, points=tuple(p for p in line.points if p[1] <= most)) for line in lines)
    title = _("The loss of the batch along its gradient")
    picture = Chart(title, _("learning rate η"), "L(θ − η g)", shown, log_x=True)
    optimizer = _other_way(update)
    note = optimizer and _(
        "This is the plain gradient's way. {optimizer} goes another one: its lr is not to be read off here."
    ).format(optimizer=optimizer)
    table = StepTable(("η", "L(θ − η g)"), tuple(points[::5]))
    steps.append(Step(_("Too small, good, too large"), text=note, table=table, picture=picture))
    part = ExplanationPart(_("The loss along its gradient"), tuple(steps))
    return (part,), _along_checks(update, square, curvature, real)


def _other_way(update: Update) -> str:
    """The name of an optimizer whose update differs from this batch's plain gradient, else ""."""
    if update.optimizer != "sgd":
        return update.optimizer
    if update.hp["momentum"]:
        return _("sgd with momentum")
    return _("sgd with weight decay") if update.hp["weight_decay"] else ""


def _along_checks(update: Update, ours: float, curvature: float, real: float) -> list[Check]:
    """Checks of the squared length of the gradient, the curvature along it, and the loss after a step."""
    net = update.module()
    L = update.torch_loss(net)
    parameters = [p for p in net.parameters() if p.requires_grad]
    gradient = torch.autograd.grad(L, parameters, create_graph=True)
    square = sum(((g * g).sum() for g in gradient), torch.zeros((), dtype=torch.float64))
    bends: tuple[Tensor, ...] = tuple(map(torch.zeros_like, parameters))
    if square.requires_grad:
        bends = torch.autograd.grad(square, parameters)
    bend = float(sum((b * g.detach()).sum() for b, g in zip(bends, gradient, strict=True))) / 2
    with torch.no_grad():
        for p, g in zip(parameters, gradient, strict=True):
            p.sub_(update.hp["lr"] * g)
        theirs = float(update.torch_loss(net))
    slope = central(lambda by: _loss_at(update, by), 1e-5 / max(1.0, math.sqrt(ours)))
    size = max(1.0, abs(float(L.detach())))
    within = relative(ours, share=1e-10) + 1e-18
    checks = [
        Check(_("‖g‖²: torch.autograd, float64"), ours, float(square.detach()), within),
        Check(_("L(θ − η g): torch after one step of SGD"), real, theirs, 1e-10 * max(size, abs(theirs))),
        Check(_("The slope along g, −‖g‖²: central difference"), -ours, slope, 1e-3 * ours + 1e-8 * size),
    ]
    terms = update.loss.kind.terms
    kinks = [ACTIVATIONS[layer.act].kinks for layer in update.layers if layer.act]
    if not any(kinks) and (terms is None or not terms.kinks):  # at kinks, second differences are invalid
        within = 1e-3 * abs(bend) + 1e-5 * size * max(1.0, ours)
        checks.append(Check(_("gᵀHg: torch, twice differentiated"), curvature, bend, within))
    return checks


# ---- a missing zero_grad, shown by the same updates with and without the call

RATE = 0.3
CODE = """\
import torch

w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.3)
for update in range({updates}):
    {first}((w - 3) ** 2).backward()
    optimizer.step()
"""


def _descended(cleared: bool) -> tuple[list[Step], list[float]]:
    """Return the arithmetic of the first three updates, and the weight before each and after the last."""
    grad, steps, weights = 0.0, list[Step](), [START]
    for t in range(1, UPDATES + 1):
        at = Symbol("w", weights[-1], str(t))
        g = value(derivative((at - BOTTOM) ** 2, at))
        added = equation("w.grad", Symbol("w.grad", grad, "before") + Symbol("g", g, str(t)))
        grad = g if cleared else grad + g
        new = equation("w", at - Symbol("η", RATE) * Symbol("w.grad", grad), str(t + 1))
        if t <= 3:
            own = equation("g", 2 * (at - BOTTOM), str(t))
            steps.append(Step(_("Update {t}: the slope here").format(t=t), own))
            if not cleared:
                steps.append(Step(_("Added to what lay there already"), added, wrong=t > 1))
            steps.append(Step(_("The new weight"), new, wrong=not cleared and t > 1))
        weights.append(new.value)
    return steps, weights


def _uncleared() -> Worked:
    codes, checks, ways = {}, [], {}
    for cleared, name in ((True, _("with zero_grad")), (False, _("without"))):
        codes[cleared] = CODE.format(updates=UPDATES, first="optimizer.zero_grad()\n    " if cleared else "")
        ways[cleared] = _descended(cleared)
        place: dict[str, Tensor] = {}
        exec(codes[cleared], place)
        label = _("w after {n} updates, {name}: torch, by the code above").format(n=UPDATES, name=name)
        end = ways[cleared][1][-1]
        checks.append(Check(label, end, float(place["w"].detach()), relative(end, 1.0)))
    text = _(
        "backward() adds to .grad. Without zero_grad every update is made with the sum of all slopes so far: "
        "w never loses its speed, swings through the bottom and back, and does not come to rest."
    )
    rows = tuple((t, *w) for t, w in enumerate(zip(ways[True][1], ways[False][1], strict=True)))
    table = StepTable((_("after update"), _("w, with zero_grad"), _("w, without")), rows)
    many = Step(_("The loop of many courses"), code=codes[False], wrong=True)
    return (
        ExplanationPart(_("With zero_grad"), (Step(_("The loop"), code=codes[True]), *ways[True][0])),
        ExplanationPart(_("Without"), (many, *ways[False][0])),
        ExplanationPart(_("Where they lead"), (Step(_("Twelve updates"), text=text, table=table),)),
    ), (*checks, _slope_check(_("g₁: central finite difference")))


def _three(update: Update, cleared: bool) -> tuple[list[Step], list[float]]:
    """Plain gradient descent over the run's next batches. Return the steps of the explanation, and the weight
    after each update."""
    layers, at = update.layers, update.parameter
    grads: dict[str, Array] = {}
    steps, weights = list[Step](), list[float]()
    for t, batch in enumerate(update.batches, 1):
        now = replace(update, layers=layers, batches=(batch,))
        fresh = now.gradients
        used = {name: g + grads[name] if name in grads else g for name, g in fresh.items()}
        before = float(grads[at][update.at]) if grads else 0.0
        w = Symbol("w", now.weight, str(t))
        own = Symbol("g", float(fresh[at][update.at]), str(t))
        seen = own if cleared else Symbol("w.grad", float(used[at][update.at]))
        if not cleared:
            title = _("Update {t}: added to what lay there already").format(t=t)
            added = equation("w.grad", Symbol("w.grad", before, "before") + own)
            steps.append(Step(title, added, wrong=t > 1))
        new = equation("w", w - Symbol("η", update.hp["lr"]) * seen, str(t + 1))
        steps.append(Step(_("Update {t}: the new weight").format(t=t), new, wrong=not cleared and t > 1))
        weights.append(new.value)
        layers = stepped(layers, used, update.hp["lr"])
        grads = {} if cleared else used
    return steps, weights


def _torch_three(update: Update, cleared: bool) -> list[float]:
    """The weight after each update of the same loop, with the user's module and torch.optim.SGD."""
    net = update.module()
    optimizer = torch.optim.SGD(net.parameters(), lr=update.hp["lr"])
    weights = []
    for place in range(len(update.batches)):
        set_masks(net, update.batches[place].masks)
        if cleared:
            optimizer.zero_grad()
        update.torch_loss(net, place).backward()
        optimizer.step()
        weights.append(float(dict(net.named_parameters())[update.parameter].detach()[update.at]))
    return weights


def _uncleared_run(update: Update) -> Worked:
    ways = {cleared: _three(update, cleared) for cleared in (True, False)}
    pairs = zip(*([update.weight, *weights] for _steps, weights in ways.values()), strict=True)
    rows = tuple((t, *pair) for t, pair in enumerate(pairs))
    table = StepTable((_("after update"), _("with zero_grad"), _("without")), rows)
    text = _(
        "{n} updates of plain gradient descent with this run's learning rate and its own next batches; the "
        "weight is {weight}. The network starts where it was after {step:,} updates, no gradient kept."
    ).format(n=len(update.batches), weight=weight_name(update), step=update.step)
    title = _("w after update {t}, {name}: torch.optim.SGD")
    checks = [
        Check(title.format(t=t, name=name), ours, theirs, relative(ours, 1.0, share=1e-10))
        for cleared, name in ((True, _("with zero_grad")), (False, _("without")))
        for t, (ours, theirs) in enumerate(
            zip(ways[cleared][1], _torch_three(update, cleared), strict=True), 1
        )
    ]
    twice = Step(_("The same batches twice"), text=text)
    return (
        ExplanationPart(_("With zero_grad"), (twice, *ways[True][0])),
        ExplanationPart(_("Without"), tuple(ways[False][0])),
        ExplanationPart(_("Where they lead"), (Step(_("The weight"), table=table),)),
    ), (*gradient_checks(update), *checks)


# ---- the topics

TOPICS = (
    Topic(
        "learning-rate",
        N_("too small, good, too large: on a valley, or along a run's gradient"),
        N_("learning-rate: too small, good, too large"),
        N_("Gradient descent on the valley f(w) = (w − 3)², from 0, with four learning rates."),
        (
            SGD,
            "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, Neural Networks: Tricks of the Trade",
            torch_page("torch.optim.SGD"),
        ),
        _rates,
        _along_gradient,
    ),
    Topic(
        "accumulated-gradient",
        N_("a missing zero_grad: the same three updates with it and without"),
        N_("accumulated-gradient: what a missing zero_grad does"),
        N_("f(w) = (w − 3)² from 0, learning rate 0.3: the same updates, the gradient cleared or not."),
        (torch_page("torch.optim.Optimizer.zero_grad"),),
        _uncleared,
        _uncleared_run,
    ),
)
