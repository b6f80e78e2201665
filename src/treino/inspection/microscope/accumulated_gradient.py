"""Topic: a missing ``zero_grad``, shown by the same three updates with and without the call."""

from dataclasses import dataclass

import torch
from torch import Tensor

from treino.base.formula import Array, Formula, Symbol, derivative, value
from treino.base.words import N_, _
from treino.inspection.microscope.explanation import (
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
    Topic,
    relative,
)
from treino.inspection.microscope.gradient_walkthrough import gradient_checks, weight_name
from treino.inspection.microscope.reference import DenseLayer, gradients, passed, stepped, torch_page, worked
from treino.inspection.microscope.run_explanation import about, title
from treino.inspection.microscope.update import Update, UpdateBatch, set_masks

SOURCES = (torch_page("torch.optim.Optimizer.zero_grad"),)
RATE, START, BOTTOM, UPDATES = 0.3, 0.0, 3.0, 12

CODE = """\
import torch

w = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.3)
for update in range({updates}):
    {first}((w - 3) ** 2).backward()
    optimizer.step()
"""


@dataclass(frozen=True)
class UpdateSequence:
    """Updates on f(w) = (w − 3)². steps: the arithmetic of the first three updates. w: the weight before each
    update and after the last."""

    steps: tuple[Step, ...]
    w: tuple[float, ...]


def descend(cleared: bool, updates: int = UPDATES) -> UpdateSequence:
    w, grad, steps, weights = START, 0.0, [], [START]
    for t in range(1, updates + 1):
        at = Symbol("w", w, str(t))
        g = value(derivative((at - BOTTOM) ** 2, at))
        own = Formula(Symbol("g", 0.0, str(t)), 2 * (at - BOTTOM))
        seen = g if cleared else grad + g
        added = Formula(Symbol("w.grad", 0.0), Symbol("w.grad", grad, "before") + Symbol("g", g, str(t)))
        new = Formula(Symbol("w", 0.0, str(t + 1)), at - Symbol("η", RATE) * Symbol("w.grad", seen))
        if t <= 3:
            steps.append(Step(_("Update {t}: the slope here").format(t=t), own))
            if not cleared:
                steps.append(Step(_("Added to what lay there already"), added, wrong=t > 1))
            steps.append(Step(_("The new weight"), new, wrong=not cleared and t > 1))
        w, grad = new.value, seen
        weights.append(w)
    return UpdateSequence(tuple(steps), tuple(weights))


def code(cleared: bool) -> str:
    return CODE.format(updates=UPDATES, first="optimizer.zero_grad()\n    " if cleared else "")


def example() -> Explanation:
    right, wrong = descend(True), descend(False)
    rows = tuple((t, a, b) for t, (a, b) in enumerate(zip(right.w, wrong.w, strict=True)))
    text = _(
        "backward() adds to .grad. Without zero_grad every update is made with the sum of all slopes so far: "
        "w never loses its speed, swings through the bottom and back, and does not come to rest."
    )
    table = StepTable((_("after update"), _("w, with zero_grad"), _("w, without")), rows)
    checks = []
    for way, cleared in ((right, True), (wrong, False)):
        place: dict[str, Tensor] = {}
        exec(code(cleared), place)
        name = _("with zero_grad") if cleared else _("without")
        theirs = float(place["w"].detach())
        label = _("w after {n} updates, {name}: torch, by the code above").format(n=UPDATES, name=name)
        checks.append(Check(label, way.w[-1], theirs, relative(way.w[-1], 1.0)))
    slope = value(derivative((Symbol("w", START) - BOTTOM) ** 2, Symbol("w", START)))
    h = 1e-6
    central = ((START + h - BOTTOM) ** 2 - (START - h - BOTTOM) ** 2) / (2 * h)
    return Explanation(
        "accumulated-gradient",
        _("accumulated-gradient: what a missing zero_grad does"),
        _("f(w) = (w − 3)² from 0, learning rate 0.3: the same updates, the gradient cleared or not."),
        (
            ExplanationPart(_("With zero_grad"), (Step(_("The loop"), code=code(True)), *right.steps)),
            ExplanationPart(
                _("Without"),
                (Step(_("The loop of many courses"), code=code(False), wrong=True), *wrong.steps),
            ),
            ExplanationPart(_("Where they lead"), (Step(_("Twelve updates"), text=text, table=table),)),
        ),
        (*checks, Check(_("g₁: central finite difference"), slope, central, 1e-8)),
        SOURCES,
    )


# ---- a run


def three(update: Update, cleared: bool) -> tuple[list[Step], list[float]]:
    """Plain gradient descent over the run's next batches. Return the steps of the explanation, and the weight
    after each update."""
    layers, lr, at = update.layers, update.hp["lr"], update.parameter
    grads: dict[str, Array] = {}
    steps: list[Step] = []
    weights: list[float] = []
    for t, batch in enumerate(update.batches, 1):
        fresh = _gradients(update, layers, batch)
        used = {name: g + grads[name] if name in grads else g for name, g in fresh.items()}
        before = float(grads[at][update.at]) if grads else 0.0
        layer = layers[update.place.layer]
        w = Symbol("w", float((layer.b if update.place.j is None else layer.W)[update.at]), str(t))
        own, seen = (
            Symbol("g", float(fresh[at][update.at]), str(t)),
            Symbol("w.grad", float(used[at][update.at])),
        )
        if not cleared:
            added = Formula(Symbol("w.grad", 0.0), Symbol("w.grad", before, "before") + own)
            steps.append(
                Step(_("Update {t}: added to what lay there already").format(t=t), added, wrong=t > 1)
            )
        new = Formula(Symbol("w", 0.0, str(t + 1)), w - Symbol("η", lr) * (own if cleared else seen))
        steps.append(Step(_("Update {t}: the new weight").format(t=t), new, wrong=not cleared and t > 1))
        weights.append(new.value)
        layers = stepped(layers, used, lr)
        grads = {} if cleared else used
    return steps, weights


def _gradients(update: Update, layers: tuple[DenseLayer, ...], batch: UpdateBatch) -> dict[str, Array]:
    def slope(out: Array) -> Array:
        return worked(update.loss, out, batch.y).slope

    return gradients(layers, passed(layers, batch.x, batch.masks, slope))


def torch_three(update: Update, cleared: bool) -> list[float]:
    """The weight after each update of the loop in ``three``, with the user's module and torch.optim.SGD."""
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


def of(update: Update) -> Explanation:
    n = len(update.batches)
    ways: dict[bool, tuple[list[Step], list[float]]] = {c: three(update, c) for c in (True, False)}
    rows = tuple((t, a, b) for t, (a, b) in enumerate(zip(ways[True][1], ways[False][1], strict=True), 1))
    table = StepTable(
        (_("after update"), _("with zero_grad"), _("without")), ((0, update.weight, update.weight), *rows)
    )
    text = _(
        "{n} updates of plain gradient descent with this run's learning rate and its own next batches; the "
        "weight is {weight}. The network starts where it was after {step:,} updates, no gradient kept."
    ).format(n=n, weight=weight_name(update), step=update.step)
    checks = []
    names = {True: _("with zero_grad"), False: _("without")}
    for cleared, (_steps, weights) in ways.items():
        for t, (ours, theirs) in enumerate(zip(weights, torch_three(update, cleared), strict=True), 1):
            checks.append(
                Check(
                    _("w after update {t}, {name}: torch.optim.SGD").format(t=t, name=names[cleared]),
                    ours,
                    theirs,
                    relative(ours, 1.0, share=1e-10),
                )
            )
    return Explanation(
        "accumulated-gradient",
        title(update, "accumulated-gradient"),
        about(update),
        (
            ExplanationPart(
                _("With zero_grad"), (Step(_("The same batches twice"), text=text), *ways[True][0])
            ),
            ExplanationPart(_("Without"), tuple(ways[False][0])),
            ExplanationPart(_("Where they lead"), (Step(_("The weight"), table=table),)),
        ),
        (*gradient_checks(update), *checks),
        SOURCES,
    )


TOPIC = Topic(
    "accumulated-gradient",
    N_("a missing zero_grad: the same three updates with it and without"),
    example,
    of,
)
