"""Losses, formula by formula: for numbers, for classes, and for a run's batch."""

import numpy as np
import torch

from treino.base.formula import Array, Expr, Formula, Op, Sum, Symbol, call, derivative, exp, ln, series
from treino.base.words import _
from treino.engine.losses import LOSSES, Loss, Terms
from treino.inspection.microscope.explanation import Check, Step
from treino.inspection.microscope.reference import (
    log_softmax,
    pair_slope,
    row_weights,
    soft_targets,
    softmax,
    worked,
)
from treino.inspection.microscope.update import Update

# ---- losses of output-target pairs


def terms_of(kind: str) -> Terms:
    """The formulas of the loss with this name in the engine's registry."""
    terms = LOSSES[kind].terms
    assert terms is not None
    return terms


def term(kind: str, predicted: Expr, target: Expr) -> Expr:
    """The loss of one pair."""
    return terms_of(kind).term(predicted, target)


def slope(kind: str, predicted: Symbol, target: Expr) -> Expr:
    """The derivative of one pair's loss with respect to the prediction."""
    return pair_slope(terms_of(kind), predicted, target)


def mean(kind: str, predicted: Array, target: Array) -> Op:
    """(1/n) Σ term over the pairs of two flat arrays."""

    def one(sub: str, k: int) -> Expr:
        return term(kind, Symbol("ŷ", float(predicted[k]), sub), Symbol("y", float(target[k]), sub))

    total: Sum = series("i", "n", len(predicted), one)
    return 1 / Symbol("n", float(len(predicted))) * total


def steps(kind: str, predicted: Array, target: Array, place: int) -> tuple[Step, ...]:
    """The steps to one pair's loss, the mean over all pairs, and the slope at that pair. place: its index."""
    sub, n = str(place + 1), Symbol("n", float(len(predicted)))
    mine, theirs = Symbol("ŷ", float(predicted[place]), sub), Symbol("y", float(target[place]), sub)
    terms = terms_of(kind)
    one = Formula(Symbol("ℓ", 0.0, sub), term(kind, mine, theirs))
    back = Formula(Symbol("∂L/∂ŷ", 0.0, sub), slope(kind, mine, theirs) / n)
    return (
        Step(_("One pair: {what}").format(what=_(terms.about)), one),
        Step(_("The mean of all"), Formula(Symbol("L", 0.0), mean(kind, predicted, target))),
        Step(_("Its slope at that prediction: {what}, shared by n").format(what=_(terms.slope_about)), back),
    )


# ---- losses of classes

LARGE = 100.0  # logits of this size or range are written minus the largest, since eᶻ would overflow


def share(name: str, z: Array, k: int, mark: str = "") -> Formula:
    """p_k = e^{z_k} / Σ e^{z_c}: softmax of logits ``[C]``."""
    top = Symbol("z", float(z.max()), "max") if np.ptp(z) > LARGE or abs(z).max() > LARGE else None

    def raised(sub: str, c: int) -> Expr:
        logit = Symbol(name, float(z[c]), sub)
        return exp(logit if top is None else logit - top)

    return Formula(Symbol(mark or "p", 0.0, str(k)), raised(str(k), k) / series("k", "", len(z), raised))


def cross_entropy_steps(loss: Loss, out: Array, y: Array, row: int, k: int) -> tuple[Step, ...]:
    """The steps from logits ``[B, C]`` to one row's loss, the mean over rows, and the slope at logit k."""
    own, z, name = int(y[row]), out[row], "z"
    steps: list[Step] = []
    if loss.softmax_first:
        title = _("Softmax, as a layer of the network: not needed, and what the loss does anyway")
        steps.append(Step(title, share("z", z, own, "q")))
        z, name = softmax(z), "q"
    target_BC, weight_B = soft_targets(loss, y, out.shape[1]), row_weights(loss, y)
    terms_B = -(target_BC * log_softmax(softmax(out) if loss.softmax_first else out)).sum(1)
    title = _("Softmax: the logit of class {k} as a probability").format(k=own)
    steps += [
        Step(title, share(name, z, own)),
        _row_step(loss, log_softmax(z), target_BC[row], own),
        _mean_step(terms_B, None if loss.class_weights is None else weight_B),
    ]
    below = Symbol("B" if loss.class_weights is None else "Σw", float(weight_B.sum()))
    p, mass = softmax(z), float(target_BC[row].sum())
    seen, target = Symbol("p", float(p[k]), str(k)), Symbol("t", float(target_BC[row, k]), str(k))
    inner = (seen - target) if _plain(loss) else (seen * Symbol("Σt", mass) - target)
    if not loss.softmax_first:
        title = _("Its slope at logit {k}: what it got less what it should").format(k=k)
        return (*steps, Step(title, Formula(Symbol("δ", 0.0, str(k)), inner / below)))
    d = (p * mass - target_BC[row]) / float(weight_B.sum())

    def through(sub: str, c: int) -> Expr:
        return Symbol("d", float(d[c]), sub) * Symbol("q", float(z[c]), sub)

    turned = Symbol("d", float(d[k]), str(k)) - series("k", "", len(z), through)
    back = Formula(Symbol("δ", 0.0, str(k)), Symbol("q", float(z[k]), str(k)) * turned)
    return (
        *steps,
        Step(_("The slope at q, softmax's output"), Formula(Symbol("d", 0.0, str(k)), inner / below)),
        Step(_("Back through the first softmax: q is small or near 1, and little comes through"), back),
    )


def _plain(loss: Loss) -> bool:
    return not loss.label_smoothing and loss.class_weights is None


def _row_step(loss: Loss, logp: Array, target: Array, own: int) -> Step:
    """The step that computes one row's loss. logp, target: ``[C]``."""
    if _plain(loss):
        p = float(np.exp(logp[own]))
        # if p underflows, its logarithm is computed directly
        log_p = ln(Symbol("p", p, str(own))) if p > 0 else Symbol("ln p", float(logp[own]), str(own))
        title = _("Cross-entropy of the row: −ln of what its own class got")
        return Step(title, Formula(Symbol("ℓ", 0.0), -log_p))

    def weighed(sub: str, c: int) -> Expr:
        return Symbol("t", float(target[c]), sub) * Symbol("ln p", float(logp[c]), sub)

    note = _("t holds {smoothing:g} of label smoothing and the class weights.").format(
        smoothing=loss.label_smoothing
    )
    total = Formula(Symbol("ℓ", 0.0), -series("k", "", len(logp), weighed))
    return Step(_("Cross-entropy of the row against its softened, weighted target"), total, note)


def _mean_step(terms_B: Array, weight_B: Array | None) -> Step:
    def lost(sub: str, r: int) -> Expr:
        return Symbol("ℓ", float(terms_B[r]), sub)

    rows = len(terms_B)
    total = series("r", "B", rows, lost)
    if weight_B is None:
        mean = Formula(Symbol("L", 0.0), total / Symbol("B", float(rows)))
        return Step(_("The mean over the rows of the batch"), mean)

    def weight(sub: str, r: int) -> Expr:
        return Symbol("w", float(weight_B[r]), sub)

    mean = Formula(Symbol("L", 0.0), total / series("r", "B", rows, weight))
    return Step(_("The mean, divided by the weights of the rows' classes"), mean)


def bce_steps(out: Array, y: Array, row: int) -> tuple[Step, ...]:
    """The steps from logits ``[B, 1]`` to one row's loss, the mean over rows, and the slope at its logit."""
    z, target = Symbol("z", float(out.reshape(-1)[row])), Symbol("y", float(y.reshape(-1)[row]))
    chance = Formula(Symbol("p", 0.0), call("σ", z))
    p = Symbol("p", chance.value)
    n = Symbol("B", float(out.size))
    stable = call("ReLU", z) - z * target + ln(1 + exp(-call("abs", z)))
    terms = np.maximum(out, 0) - out * y.reshape(out.shape) + np.log1p(np.exp(-np.abs(out)))

    plain: tuple[Step, ...] = ()
    if 0 < p.number < 1:
        named = Formula(Symbol("ℓ", 0.0), -(target * ln(p) + (1 - target) * ln(1 - p)))
        plain = (Step(_("The row's loss: −ln of what its own class got"), named),)
    return (
        Step(_("The logit as the probability of class 1"), chance),
        *plain,
        Step(
            _("The same without ever rounding p to 0 or 1, as torch computes it"),
            Formula(Symbol("ℓ", 0.0), stable),
        ),
        _mean_step(terms.reshape(-1), None),
        Step(
            _("Its slope at the logit: what it got less what it should"),
            Formula(Symbol("δ", 0.0), (p - target) / n),
        ),
    )


def row_steps(loss: Loss, out: Array, y: Array, row: int, k: int) -> tuple[Step, ...]:
    """The steps from the loss's formula: one row's loss, the mean, the slope at output k. out: ``[B, C]``."""
    terms, reference = loss.kind.terms, worked(loss, out, y)
    assert terms is not None
    z = tuple(Symbol("z", float(v), str(c)) for c, v in enumerate(out[row]))
    term, rows = terms.term(z, int(y[row])), Symbol("B", float(len(out)))
    return (
        Step(_("The row's loss: {what}").format(what=_(terms.about)), Formula(Symbol("ℓ", 0.0), term)),
        _mean_step(reference.terms, None),
        Step(
            _("Its slope at output {k}: {what}, shared by the rows").format(k=k, what=_(terms.slope_about)),
            Formula(Symbol("δ", 0.0, str(k)), derivative(term, z[k]) / rows),
        ),
    )


H = 1e-6  # of finite differences


def loss_checks(loss: Loss, out: Array, y: Array, at: tuple[int, int], what: str) -> tuple[Check, ...]:
    """Checks of the loss of outputs ``[B, C]`` and of its slope at one of them, which ``what`` names."""
    mine, z = worked(loss, out, y), torch.from_numpy(out).requires_grad_()
    theirs = loss(z, torch.from_numpy(y))
    theirs.backward()
    assert z.grad is not None
    step = np.zeros_like(out)
    step[at] = H
    above, below = (worked(loss, out + by * step, y).loss for by in (1, -1))
    slope, central = float(mine.slope[at]), (above - below) / (2 * H)
    return (
        Check(_("L: torch, float64"), mine.loss, float(theirs.detach()), 1e-14),
        Check(_("{what}: torch.autograd, float64").format(what=what), slope, float(z.grad[at]), 1e-14),
        Check(_("{what}: central finite difference").format(what=what), slope, central, 1e-8),
    )


# ---- the loss of a run's batch


def loss_steps(update: Update) -> tuple[Step, ...]:
    """The steps to one row's loss, the mean, and the slope at the output ``output_unit``."""
    out, y, row, loss = update.through[-1].h, update.batch.y, update.row, update.loss
    last = len(update.layers) - 1
    if loss.name == "cross_entropy":
        return cross_entropy_steps(loss, out, y, row, output_unit(update))
    if loss.name == "bce":
        return bce_steps(out, y, row)
    if loss.kind.of_classes:
        return row_steps(loss, out, y, row, output_unit(update))
    columns = out.shape[1]
    place = row * columns + (update.place.i if update.place.layer == last else 0)
    return steps(loss.name, out.reshape(-1), y.reshape(-1), place)


def output_unit(update: Update) -> int:
    """The output whose slope is shown: the chosen weight's unit in the last layer, else the row's class."""
    last = update.place.layer == len(update.layers) - 1
    return update.place.i if last else int(update.batch.y[update.row])
