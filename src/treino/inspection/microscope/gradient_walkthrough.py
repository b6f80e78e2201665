"""The first part of every explanation of a run: from a batch's rows to the gradient of one weight."""

import math
from dataclasses import replace
from itertools import count

import numpy as np
import torch

from treino.base.formula import Array, Expr, Formula, Symbol, derivative, series
from treino.base.words import _
from treino.engine.activations import ACTIVATIONS
from treino.inspection.microscope.explanation import Check, ExplanationPart, Step, StepTable
from treino.inspection.microscope.losses import loss_steps
from treino.inspection.microscope.reference import passed
from treino.inspection.microscope.update import Update, moved

SHOWN_ROWS = 8


def way(update: Update) -> tuple[ExplanationPart, ...]:
    """The parts: rows, forward, loss, backward."""
    return (rows_part(update), forward_part(update), loss_part(update), backward_part(update))


# ---- the parts


def rows_part(update: Update) -> ExplanationPart:
    batch, place = update.batch, update.place
    values = batch.x if place.layer == 0 and place.j is not None else None
    name = update.inputs[place.j] if values is not None and place.j is not None else ""
    headings = [
        _("row"),
        *([_("input {j}: {name}").format(j=place.j, name=name)] if name else []),
        _("target"),
    ]
    rows: list[tuple[str | float | int, ...]] = []
    for r in range(min(len(batch.rows), SHOWN_ROWS)):
        target = batch.y[r]
        label: str | float = (
            update.classes[int(target.reshape(-1)[0])] if update.classes else float(target.reshape(-1)[0])
        )
        rows.append((int(batch.rows[r]), *([float(values[r, place.j])] if values is not None else []), label))
    text = _(
        "Update {number:,} of {run}: {rows:,} rows. The weight is {weight}. Inputs are as the network gets "
        "them, prepared; layers, units and inputs are counted from 0."
    ).format(number=update.step + 1, run=update.run, rows=len(batch.rows), weight=weight_name(update))
    table = StepTable(tuple(headings), tuple(rows), len(batch.rows) - len(rows))
    notes = tuple(Step(_("In force"), text=note) for note in update.notes)
    return ExplanationPart(
        _("The rows of the batch"), (Step(_("What goes in"), text=text, table=table), *notes)
    )


def weight_name(update: Update) -> str:
    place = update.place
    module = update.layers[place.layer].name
    if place.j is None:
        text = _("the bias of unit {i} in layer {layer} (module {module})")
        return text.format(i=place.i, layer=place.layer, module=module)
    text = _("the one from input {j} to unit {i} of layer {layer} (module {module})")
    return text.format(j=place.j, i=place.i, layer=place.layer, module=module)


def units(update: Update) -> list[int]:
    """The index of the unit shown in each layer: the weight's own, and in other layers the most important."""
    place, row, last = update.place, update.row, len(update.layers) - 1
    unit_L = [int(np.abs(p.h[row]).argmax()) for p in update.through]
    for layer in range(place.layer + 1, last + 1):
        unit_L[layer] = int(np.abs(update.through[layer].d[row]).argmax())
    if update.loss.kind.of_classes and place.layer < last:
        unit_L[last] = int(update.batch.y[row])
    if place.layer and place.j is not None:
        unit_L[place.layer - 1] = place.j
    unit_L[place.layer] = place.i
    return unit_L


def inputs_of(layer: int, sub: str, number: float) -> Symbol:
    return Symbol("x", number, sub) if layer == 0 else Symbol("h", number, sub, f"({layer - 1})")


def forward_part(update: Update) -> ExplanationPart:
    row, steps = update.row, []
    for at, layer, p, unit in zip(count(), update.layers, update.through, units(update), strict=False):
        mark, inputs = f"({at})", len(layer.W[0])

        def product(sub: str, k: int, at: int = at, unit: int = unit, mark: str = mark) -> Expr:
            W, a = update.layers[at].W, update.through[at].a
            return Symbol("W", float(W[unit, k]), f"{unit},{sub}", mark) * inputs_of(
                at, sub, float(a[row, k])
            )

        total = series("j", "", inputs, product)
        right: Expr = total + Symbol("b", float(layer.b[unit]), str(unit), mark) if layer.bias else total
        z = Symbol("z", float(p.z[row, unit]), str(unit), mark)
        steps.append(Step(_("Layer {layer}, unit {unit}").format(layer=at, unit=unit), Formula(z, right)))
        act: Expr = ACTIVATIONS[layer.act].formula(z) if layer.act else z
        if p.mask is not None:
            act = act * Symbol("mask", float(p.mask[row, unit]))
        if layer.act or p.mask is not None:
            note = _("dropout: 0 for a dropped unit, else 1 / (1 − rate)") if p.mask is not None else ""
            h = Symbol("h", float(p.h[row, unit]), str(unit), mark)
            steps.append(Step(_("What the unit gives on"), Formula(h, act), note))
    title = _("Forward: row {row}, the one that adds most to this gradient").format(
        row=int(update.batch.rows[row])
    )
    return ExplanationPart(title, tuple(steps))


def loss_part(update: Update) -> ExplanationPart:
    return ExplanationPart(_("The loss"), loss_steps(update))


def backward_part(update: Update) -> ExplanationPart:
    """The backward pass: δ (∂loss/∂z of a unit) from the output back to the weight, then the sum over
    rows."""
    row, place = update.row, update.place
    steps: list[Step] = []
    unit_L = units(update)
    steps += [
        _delta(update, at, unit_L[at], row) for at in range(len(update.layers) - 2, place.layer - 1, -1)
    ]
    p, rows = update.through[place.layer], len(update.batch.rows)
    mark = f"({place.layer})"

    def share(sub: str, k: int) -> Expr:
        d = Symbol("δ", float(p.d[k, place.i]), f"{place.i},{sub}", mark)
        if place.j is None:
            return d
        name = "x" if place.layer == 0 else "h"
        sup = "" if place.layer == 0 else f"({place.layer - 1})"
        return d * Symbol(name, float(p.a[k, place.j]), f"{place.j},{sub}", sup)

    table = None
    if place.j is not None:
        order = np.argsort(-np.abs(update.shares), kind="stable")[:SHOWN_ROWS]
        cells = tuple(
            (
                int(update.batch.rows[r]),
                float(p.d[r, place.i]),
                float(p.a[r, place.j]),
                float(update.shares[r]),
            )
            for r in order
        )
        table = StepTable((_("row"), "δ", _("input"), _("δ · input")), cells, rows - len(cells))
    note = _("The rows with the largest shares first.") if table else ""
    gradient = Formula(Symbol("g", 0.0), series("r", "B", rows, share))
    steps.append(Step(_("All rows together: the gradient of the weight"), gradient, note, table=table))
    return ExplanationPart(_("Back to the weight"), tuple(steps))


def _delta(update: Update, at: int, unit: int, row: int) -> Step:
    layer, p, up = update.layers[at], update.through[at], update.through[at + 1]
    above = update.layers[at + 1]

    def product(sub: str, k: int) -> Expr:
        return Symbol("W", float(above.W[k, unit]), f"{sub},{unit}", f"({at + 1})") * Symbol(
            "δ", float(up.d[row, k]), sub, f"({at + 1})"
        )

    right: Expr = series("k", "", len(above.W), product)
    if p.mask is not None:
        right = Symbol("mask", float(p.mask[row, unit])) * right
    if layer.act:
        z = Symbol("z", float(p.z[row, unit]), str(unit), f"({at})")
        right = derivative(ACTIVATIONS[layer.act].formula(z), z) * right
    title = _("Layer {layer}, unit {unit}: what comes back to it, row {row}").format(
        layer=at, unit=unit, row=int(update.batch.rows[row])
    )
    return Step(title, Formula(Symbol("δ", 0.0, str(unit), f"({at})"), right))


# ---- the checks


def gradient_checks(update: Update) -> tuple[Check, ...]:
    """Checks of the explanation's loss and gradient against torch, finite differences and the run."""
    ours, g = (
        _value_of(part, name) for part, name in ((loss_part(update), "L"), (backward_part(update), "g"))
    )
    net = update.module()
    loss = update.torch_loss(net)
    loss.backward()
    theirs = dict(net.named_parameters())[update.parameter].grad
    assert theirs is not None
    reference = float(loss.detach())
    checks = [Check(_("L: the loss in torch, float64"), ours, reference, 1e-12 * max(1.0, abs(reference)))]
    if update.recorded is not None:
        within = 1e-5 * max(1e-3, abs(ours))
        checks.append(Check(_("L: what the run noted, float32"), ours, update.recorded, within))
    checks.append(Check(_("g: torch.autograd, float64"), g, float(theirs[update.at]), rounding(update)))
    difference = central_difference(update)
    if difference is not None:
        checks.append(Check(_("g: central finite difference"), g, *difference))
    return tuple(checks)


def _value_of(part: ExplanationPart, name: str) -> float:
    """The value of the part's formula for the quantity ``name``."""
    formulas = [
        s.formula for s in part.steps if s.formula is not None and s.formula.left == Symbol(name, 0.0)
    ]
    return formulas[0].value


def rounding(update: Update) -> float:
    """A bound on the difference between two float64 summations of this gradient."""
    largest = max(float(np.abs(g).max()) for g in update.gradients.values())
    return 1e-12 * (largest + float(np.abs(update.shares).sum())) + 1e-18


def central_difference(update: Update) -> tuple[float, float] | None:
    """Return (L(w + h) − L(w − h)) / 2h of the user's module, and its error bound; None at a kink."""
    net = update.module()
    scale = max(1.0, abs(update.weight))
    for h in (1e-5 * scale, 1e-6 * scale, 1e-7 * scale):
        if len({_pattern(update, by) for by in (-2 * h, -h, 0.0, h, 2 * h)}) > 1:
            continue
        near, far = (_slope(update, net, step) for step in (h, 2 * h))
        size = max(1.0, abs(update.worked.loss))
        within = 1e-6 * abs(near) + 200 * np.finfo(float).eps * size / h + 2 * abs(near - far)
        return near, float(within)
    return None


def _slope(update: Update, net: torch.nn.Module, h: float) -> float:
    losses = []
    with torch.no_grad():
        for by in (h, -h):
            with moved(net, update.parameter, update.at, by):
                losses.append(float(update.torch_loss(net)))
    return (losses[0] - losses[1]) / (2 * h)


def _pattern(update: Update, by: float) -> bytes:
    """Return the side of the kinks (of ReLU, of an absolute error) on which every number is, with the weight
    changed by ``by``."""
    layers = list(update.layers)
    layer = layers[update.place.layer]
    W, b = layer.W.copy(), layer.b.copy()
    (b if update.place.j is None else W)[update.at] += by
    layers[update.place.layer] = replace(layer, W=W, b=b)
    passes = passed(tuple(layers), update.batch.x, update.batch.masks, np.zeros_like)
    sides: list[Array] = [
        np.sign(p.z - kink)
        for p, of in zip(passes, layers, strict=True)
        if of.act
        for kink in ACTIVATIONS[of.act].kinks
    ]
    if (terms := update.loss.kind.terms) is not None and not update.loss.kind.of_classes:
        e = passes[-1].h - update.batch.y.reshape(passes[-1].h.shape)
        sides += [np.sign(e - kink) for kink in terms.kinks]
    return b"".join(np.ascontiguousarray(s).tobytes() for s in sides)


def finite(update: Update) -> bool:
    return math.isfinite(update.worked.loss) and all(np.isfinite(g).all() for g in update.gradients.values())
