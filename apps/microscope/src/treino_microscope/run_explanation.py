"""Explanations of one update of a run: from the batch to the gradient, and on to the new weight."""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from treino.base.formula import Array, Expr, Formula, Symbol, call, derivative, series, sqrt
from treino.base.words import _
from treino.engine import ACTIVATIONS, OPTIMIZERS, torch_settings
from treino_microscope import optimizers
from treino_microscope.explanation import (
    Check,
    ExplanationPart,
    Step,
    StepTable,
    Worked,
    central,
    equation,
    relative,
)
from treino_microscope.losses import loss_steps
from treino_microscope.optimizers import OptimizerResult
from treino_microscope.reference import passed
from treino_microscope.update import Update

SHOWN_ROWS = 8


def way(update: Update) -> tuple[ExplanationPart, ...]:
    """The parts: rows, forward, loss, backward."""
    loss = ExplanationPart(_("The loss"), loss_steps(update))
    return (_rows_part(update), _forward_part(update), loss, _backward_part(update))


# ---- the parts


def _rows_part(update: Update) -> ExplanationPart:
    batch, place = update.batch, update.place
    headings, columns = [_("row")], [batch.rows[:SHOWN_ROWS].tolist()]
    if place.layer == 0 and place.j is not None:
        headings.append(_("input {j}: {name}").format(j=place.j, name=update.inputs[place.j]))
        columns.append(batch.x[:SHOWN_ROWS, place.j].tolist())
    targets = batch.y.reshape(len(batch.y), -1)[:SHOWN_ROWS, 0].tolist()
    headings.append(_("target"))
    columns.append([update.classes[int(t)] for t in targets] if update.classes else targets)
    text = _(
        "Update {number:,} of {run}: {rows:,} rows. The weight is {weight}. Inputs are as the network gets "
        "them, prepared; layers, units and inputs are counted from 0."
    ).format(number=update.step + 1, run=update.run, rows=len(batch.rows), weight=weight_name(update))
    rows = tuple(zip(*columns, strict=True))
    table = StepTable(tuple(headings), rows, len(batch.rows) - len(rows))
    notes = tuple(Step(_("In force"), text=note) for note in update.notes)
    return ExplanationPart(
        _("The rows of the batch"), (Step(_("What goes in"), text=text, table=table), *notes)
    )


def weight_name(update: Update) -> str:
    place = update.place
    if place.j is None:
        text = _("the bias of unit {i} in layer {layer} (module {module})")
    else:
        text = _("the one from input {j} to unit {i} of layer {layer} (module {module})")
    return text.format(j=place.j, i=place.i, layer=place.layer, module=update.layers[place.layer].name)


def _units(update: Update) -> list[int]:
    """The index of the unit shown in each layer: the weight's own, and in other layers the most important."""
    place, row, last = update.place, update.row, len(update.layers) - 1
    unit_L = [
        int(np.abs((p.d if layer > place.layer else p.h)[row]).argmax())
        for layer, p in enumerate(update.through)
    ]
    if update.loss.of_classes and place.layer < last:
        unit_L[last] = int(update.batch.y[row])
    if place.layer and place.j is not None:
        unit_L[place.layer - 1] = place.j
    unit_L[place.layer] = place.i
    return unit_L


def input_of(layer: int, sub: str, number: float) -> Symbol:
    return Symbol("x", number, sub) if layer == 0 else Symbol("h", number, sub, f"({layer - 1})")


def _weighed_inputs(update: Update, at: int, unit: int) -> Expr:
    """Σ W x of one unit, for the row shown."""
    W_D, a_D = update.layers[at].W[unit], update.through[at].a[update.row]

    def product(sub: str, k: int) -> Expr:
        return Symbol("W", float(W_D[k]), f"{unit},{sub}", f"({at})") * input_of(at, sub, float(a_D[k]))

    return series("j", "", len(W_D), product)


def _forward_part(update: Update) -> ExplanationPart:
    row, steps = update.row, list[Step]()
    for at, (layer, p, unit) in enumerate(zip(update.layers, update.through, _units(update), strict=True)):
        sub, mark = str(unit), f"({at})"
        right = _weighed_inputs(update, at, unit)
        if layer.bias:
            right = right + Symbol("b", float(layer.b[unit]), sub, mark)
        z = Symbol("z", float(p.z[row, unit]), sub, mark)
        steps.append(Step(_("Layer {layer}, unit {unit}").format(layer=at, unit=unit), Formula(z, right)))
        act, note = ACTIVATIONS[layer.act].formula(z) if layer.act else z, ""
        if p.mask is not None:
            act = act * Symbol("mask", float(p.mask[row, unit]))
            note = _("dropout: 0 for a dropped unit, else 1 / (1 − rate)")
        if layer.act or p.mask is not None:
            h = Symbol("h", float(p.h[row, unit]), sub, mark)
            steps.append(Step(_("What the unit gives on"), Formula(h, act), note))
    title = _("Forward: row {row}, the one that adds most to this gradient")
    return ExplanationPart(title.format(row=int(update.batch.rows[row])), tuple(steps))


def _backward_part(update: Update) -> ExplanationPart:
    """The backward pass: δ (∂loss/∂z of a unit) from the output back to the weight, then the sum over
    rows."""
    place, unit_L = update.place, _units(update)
    steps = [_delta(update, at, unit_L[at]) for at in range(len(update.layers) - 2, place.layer - 1, -1)]
    p, rows = update.through[place.layer], len(update.batch.rows)

    def share(sub: str, k: int) -> Expr:
        d = Symbol("δ", float(p.d[k, place.i]), f"{place.i},{sub}", f"({place.layer})")
        return d if place.j is None else d * input_of(place.layer, f"{place.j},{sub}", float(p.a[k, place.j]))

    table, note = None, ""
    if place.j is not None:
        order = np.argsort(-np.abs(update.shares), kind="stable")[:SHOWN_ROWS]
        columns = (update.batch.rows, p.d[:, place.i], p.a[:, place.j], update.shares)
        cells = tuple(zip(*(of[order].tolist() for of in columns), strict=True))
        table = StepTable((_("row"), "δ", _("input"), _("δ · input")), cells, rows - len(cells))
        note = _("The rows with the largest shares first.")
    gradient = equation("g", series("r", "B", rows, share))
    steps.append(Step(_("All rows together: the gradient of the weight"), gradient, note, table=table))
    return ExplanationPart(_("Back to the weight"), tuple(steps))


def _delta(update: Update, at: int, unit: int) -> Step:
    layer, p, row = update.layers[at], update.through[at], update.row
    W, d = update.layers[at + 1].W, update.through[at + 1].d

    def product(sub: str, k: int) -> Expr:
        weight = Symbol("W", float(W[k, unit]), f"{sub},{unit}", f"({at + 1})")
        return weight * Symbol("δ", float(d[row, k]), sub, f"({at + 1})")

    right: Expr = series("k", "", len(W), product)
    if p.mask is not None:
        right = Symbol("mask", float(p.mask[row, unit])) * right
    if layer.act:
        z = Symbol("z", float(p.z[row, unit]), str(unit), f"({at})")
        right = derivative(ACTIVATIONS[layer.act].formula(z), z) * right
    title = _("Layer {layer}, unit {unit}: what comes back to it, row {row}").format(
        layer=at, unit=unit, row=int(update.batch.rows[row])
    )
    return Step(title, equation("δ", right, str(unit), f"({at})"))


# ---- the checks


def gradient_checks(update: Update) -> list[Check]:
    """Checks of the explanation's loss and gradient against torch, finite differences and the run."""
    means = [s for s in loss_steps(update) if s.formula and s.formula.left == Symbol("L", 0.0)]
    ours, g = means[0].value, _backward_part(update).steps[-1].value
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
    if (difference := _central_difference(update)) is not None:
        checks.append(Check(_("g: central finite difference"), g, *difference))
    return checks


def rounding(update: Update) -> float:
    """A bound on the difference between two float64 summations of this gradient."""
    largest = max(float(np.abs(g).max()) for g in update.gradients.values())
    return 1e-12 * (largest + float(np.abs(update.shares).sum())) + 1e-18


def _central_difference(update: Update) -> tuple[float, float] | None:
    """Return (L(w + h) − L(w − h)) / 2h of the user's module, and its error bound; None at a kink."""
    net = update.module()
    weights = dict(net.named_parameters())[update.parameter].detach()

    def loss(by: float) -> float:
        weights[update.at] = update.weight + by
        with torch.no_grad():
            return float(update.torch_loss(net))

    for h in (step * max(1.0, abs(update.weight)) for step in (1e-5, 1e-6, 1e-7)):
        if len({_pattern(update, by) for by in (-2 * h, -h, 0.0, h, 2 * h)}) > 1:
            continue
        near, far = central(loss, h), central(loss, 2 * h)
        size = max(1.0, abs(update.worked.loss))
        within = 1e-6 * abs(near) + 200 * np.finfo(float).eps * size / h + 2 * abs(near - far)
        return near, float(within)
    return None


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
    if (terms := update.loss.kind.terms) is not None and not update.loss.of_classes:
        e = passes[-1].h - update.batch.y.reshape(len(update.batch.y), -1)
        sides += [np.sign(e - kink) for kink in terms.kinks]
    return b"".join(np.ascontiguousarray(s).tobytes() for s in sides)


# ---- from the gradient of one weight to its new value

EPS32 = float(np.finfo(np.float32).eps)


def optimizer_step(update: Update, off: float = 0.0) -> OptimizerResult:
    """The steps from this batch's gradient to the new weight. off: is added to the gradient."""
    g, prime = update.gradient + off, ""
    steps: list[Step] = []
    if update.old_gradients is not None:
        before = float(update.old_gradients[update.parameter][update.at])
        title = _("missing_zero_grad, on purpose: the gradients of all past updates are still there")
        steps.append(Step(title, equation("g", Symbol("g", before, "1…t−1") + Symbol("g", g, "t"))))
        g = before + g
    if not math.isinf(limit := update.hp["clip"]):
        old = update.old_gradients or {}
        whole = [g + old[name] if name in old else g for name, g in update.gradients.items()]
        flat = np.concatenate([g.reshape(-1) for g in whole])
        norm = math.sqrt(sum(float(np.square(g).sum()) for g in whole))

        def square(sub: str, k: int) -> Expr:
            return Symbol("g", float(flat[k]), sub) ** 2

        share = call("min", 1.0, Symbol("clip", limit) / (Symbol("‖g‖", norm) + 1e-6))
        clipped, prime = equation("g", share * Symbol("g", g), sup="′"), "′"
        title = _("The length of the whole gradient, over all {n:,} parameters").format(n=len(flat))
        steps += [
            Step(title, equation("‖g‖", sqrt(series("i", "n", len(flat), square)))),
            Step(_("Clipping: a longer one is scaled down, its direction stays"), clipped),
        ]
        g = clipped.value
    state = {
        name: float(tensor[update.at]) for name, tensor in update.state.get(update.parameter, {}).items()
    }
    settings = update.hp | {"nesterov": update.nesterov}
    moved = optimizers.update(update.optimizer, update.weight, g, state, settings, update.t, prime)
    return replace(moved, steps=(*steps, *moved.steps))


# ---- checks


def moving_checks(update: Update, step: OptimizerResult) -> list[Check]:
    """Checks of the new weight against torch.optim in float64 and against the run's weight."""

    def answer(error: float) -> float:
        """The largest change of the new weight if the gradient is wrong by ``error``. If Adam divides small
        numbers, a gradient's last digits matter."""
        return max(abs(optimizer_step(update, by).weight - step.weight) for by in (-error, error))

    within = relative(step.weight, update.weight, update.hp["lr"]) + answer(rounding(update))
    kind = OPTIMIZERS[update.optimizer].torch
    name = f"torch.optim.{kind.__name__}" if kind.__module__.startswith("torch.") else kind.__name__
    checks = [Check(_("w: {name}, float64").format(name=name), step.weight, theirs(update), within)]
    if update.after is not None:
        after, moved = float(update.after[update.parameter][update.at]), abs(step.weight - update.weight)
        size = max(abs(step.weight), abs(update.weight), moved)
        within = 4 * EPS32 * size + 1e-5 * moved + answer(_single(update))
        title = _("w: the run's own weight after this update, float32")
        checks.append(Check(title, step.weight, after, within))
    return checks


def _single(update: Update) -> float:
    """An upper bound of the float32 error of this layer's gradient, estimated from a measurement."""
    net = update.module().float()
    x, y = (torch.from_numpy(a) for a in (update.batch.x, update.batch.y))
    update.loss(net(x.float()), y if y.dtype == torch.int64 else y.float()).backward()
    grad = dict(net.named_parameters())[update.parameter].grad
    assert grad is not None
    ours = update.gradients[update.parameter]
    largest = float(np.abs(ours).max())
    if update.old_gradients is not None:
        largest += float(np.abs(update.old_gradients[update.parameter]).max())
    return 8 * float(np.abs(grad.double().numpy() - ours).max()) + 4 * EPS32 * largest


def theirs(update: Update) -> float:
    """The new weight by torch's backward, clip_grad_norm_ and optimizer, from the same state, in float64."""
    net = update.module()
    named = dict(net.named_parameters())
    kind, hp = OPTIMIZERS[update.optimizer].torch, update.hp
    settings = torch_settings(update.optimizer, hp, update.nesterov)
    optimizer = kind(named.values(), lr=hp["lr"], **settings)  # type: ignore[call-arg]
    for name, p in named.items():
        state = {k: torch.from_numpy(np.array(t)) for k, t in update.state.get(name, {}).items()}
        if state:
            if kind is not torch.optim.SGD:
                state["step"] = torch.tensor(float(update.t - 1), dtype=torch.float32)
            optimizer.state[p] = state
        if update.old_gradients is not None and name in update.old_gradients:
            p.grad = torch.from_numpy(np.array(update.old_gradients[name]))
    update.torch_loss(net).backward()
    if not math.isinf(hp["clip"]):
        nn.utils.clip_grad_norm_(named.values(), hp["clip"])
    optimizer.step()
    return float(named[update.parameter].detach()[update.at])


# ---- explanations of one update


def to_the_gradient(update: Update) -> Worked:
    """The explanation from the batch's rows to the weight's gradient."""
    return way(update), gradient_checks(update)


def to_the_weight(update: Update) -> Worked:
    """The explanation from the batch's rows to the weight's new value."""
    step = optimizer_step(update)
    part = ExplanationPart(_("The update"), step.steps)
    return (*way(update), part), (*gradient_checks(update), *moving_checks(update, step))


# ---- a run's own topics


def kind(update: Update) -> str:
    """The name of this run's optimizer; sgd with momentum is ``momentum``."""
    moving = update.optimizer == "sgd" and update.hp["momentum"]
    return "momentum" if moving else update.optimizer


def topic_name(entry: str) -> str:
    """The topic's name for a loss or optimizer with the engine's name ``entry``."""
    return entry.replace("_", "-")


def own_loss(update: Update) -> tuple[str, str]:
    """The topic of a run's loss, and the loss in words."""
    theirs = topic_name(update.loss.name)
    return theirs, _("the loss {name}").format(name=theirs)


def own_optimizer(update: Update) -> tuple[str, str]:
    """The topic of a run's optimizer, and the optimizer in words; sgd with momentum is ``momentum``."""
    theirs = topic_name(kind(update))
    sgd = {"sgd": _("sgd without momentum"), "momentum": _("sgd with momentum")}
    return theirs, sgd.get(theirs, theirs)
