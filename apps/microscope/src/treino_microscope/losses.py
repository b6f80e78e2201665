"""Losses, formula by formula: for numbers, for classes, and for a run's batch."""

from functools import partial

import numpy as np
import torch

from treino.base.formula import Array, Expr, Formula, Op, Symbol, call, derivative, exp, ln, series
from treino.base.words import _
from treino.engine import LOSSES, Loss, Terms
from treino_microscope.explanation import Check, Step, central, equation, slope_checks
from treino_microscope.reference import (
    log_softmax,
    pair_slope,
    row_target,
    row_weights,
    soft_targets,
    softmax,
    worked,
)
from treino_microscope.update import Update

# ---- losses of output-target pairs


def _terms(kind: str) -> Terms:
    """The formulas of the loss with this name in the engine's registry."""
    terms = LOSSES[kind].terms
    assert terms is not None
    return terms


def term(kind: str, predicted: Expr, target: Expr) -> Expr:
    """The loss of one pair."""
    return _terms(kind).term(predicted, target)


def pair_term(kind: str, predicted: Array, target: Array, sub: str, k: int) -> Expr:
    """The loss of pair k of two flat arrays. sub: its number, in the symbols."""
    return term(kind, Symbol("ŷ", float(predicted[k]), sub), Symbol("y", float(target[k]), sub))


def mean(kind: str, predicted: Array, target: Array) -> Op:
    """(1/n) Σ term over the pairs of two flat arrays."""
    n = len(predicted)
    return 1 / Symbol("n", float(n)) * series("i", "n", n, partial(pair_term, kind, predicted, target))


def steps(kind: str, predicted: Array, target: Array, place: int) -> tuple[Step, ...]:
    """The steps to one pair's loss, the mean over all pairs, and the slope at that pair. place: its index."""
    sub, n, terms = str(place + 1), Symbol("n", float(len(predicted))), _terms(kind)
    mine, theirs = Symbol("ŷ", float(predicted[place]), sub), Symbol("y", float(target[place]), sub)
    title = _("Its slope at that prediction: {what}, shared by n").format(what=_(terms.slope_about))
    return (
        Step(_("One pair: {what}").format(what=_(terms.about)), equation("ℓ", term(kind, mine, theirs), sub)),
        Step(_("The mean of all"), equation("L", mean(kind, predicted, target))),
        Step(title, equation("∂L/∂ŷ", pair_slope(terms, mine, theirs) / n, sub)),
    )


# ---- losses of classes

LARGE = 100.0  # logits of this size or range are written minus the largest, since eᶻ would overflow


def _numbers(name: str, value_N: Array, sub: str, k: int) -> Symbol:
    """Number k of an array. sub: its index, in the symbol."""
    return Symbol(name, float(value_N[k]), sub)


def share(name: str, z: Array, k: int, mark: str = "p") -> Formula:
    """p_k = e^{z_k} / Σ e^{z_c}: softmax of logits ``[C]``."""
    top = Symbol("z", float(z.max()), "max") if np.ptp(z) > LARGE or abs(z).max() > LARGE else None

    def raised(sub: str, c: int) -> Expr:
        logit = _numbers(name, z, sub, c)
        return exp(logit if top is None else logit - top)

    return equation(mark, raised(str(k), k) / series("k", "", len(z), raised), str(k))


def cross_entropy_steps(loss: Loss, out: Array, y: Array, row: int, k: int) -> tuple[Step, ...]:
    """The steps from logits ``[B, C]`` to one row's loss, the mean over rows, and the slope at logit k."""
    own, z, name, sub = int(y[row]), out[row], "z", str(k)
    steps: list[Step] = []
    if loss.softmax_first:
        title = _("Softmax, as a layer of the network: not needed, and what the loss does anyway")
        steps.append(Step(title, share("z", z, own, "q")))
        z, name = softmax(z), "q"
    target_BC, weight_B = soft_targets(loss, y, out.shape[1]), row_weights(loss, y)
    weighted = None if loss.class_weights is None else weight_B
    title = _("Softmax: the logit of class {k} as a probability").format(k=own)
    steps += [
        Step(title, share(name, z, own)),
        _row_step(loss, log_softmax(z), target_BC[row], own),
        _mean_step(worked(loss, out, y).terms, weighted),
    ]
    below = Symbol("B" if weighted is None else "Σw", float(weight_B.sum()))
    p, mass = softmax(z), float(target_BC[row].sum())
    seen, target = _numbers("p", p, sub, k), _numbers("t", target_BC[row], sub, k)
    inner = (seen if _plain(loss) else seen * Symbol("Σt", mass)) - target
    if not loss.softmax_first:
        title = _("Its slope at logit {k}: what it got less what it should").format(k=k)
        return (*steps, Step(title, equation("δ", inner / below, sub)))
    d = (p * mass - target_BC[row]) / float(weight_B.sum())

    def through(sub: str, c: int) -> Expr:
        return _numbers("d", d, sub, c) * _numbers("q", z, sub, c)

    back = _numbers("q", z, sub, k) * (_numbers("d", d, sub, k) - series("k", "", len(z), through))
    title = _("Back through the first softmax: q is small or near 1, and little comes through")
    return (
        *steps,
        Step(_("The slope at q, softmax's output"), equation("d", inner / below, sub)),
        Step(title, equation("δ", back, sub)),
    )


def _plain(loss: Loss) -> bool:
    return not loss.label_smoothing and loss.class_weights is None


def _row_step(loss: Loss, logp: Array, target: Array, own: int) -> Step:
    """The step that computes one row's loss. logp, target: ``[C]``."""
    if _plain(loss):
        p = float(np.exp(logp[own]))
        # if p underflows, its logarithm is computed directly
        log_p = ln(Symbol("p", p, str(own))) if p > 0 else _numbers("ln p", logp, str(own), own)
        return Step(_("Cross-entropy of the row: −ln of what its own class got"), equation("ℓ", -log_p))

    def weighed(sub: str, c: int) -> Expr:
        return _numbers("t", target, sub, c) * _numbers("ln p", logp, sub, c)

    note = _("t holds {smoothing:g} of label smoothing and the class weights.").format(
        smoothing=loss.label_smoothing
    )
    total = equation("ℓ", -series("k", "", len(logp), weighed))
    return Step(_("Cross-entropy of the row against its softened, weighted target"), total, note)


def _mean_step(terms_B: Array, weight_B: Array | None) -> Step:
    rows = len(terms_B)
    total = series("r", "B", rows, partial(_numbers, "ℓ", terms_B))
    if weight_B is None:
        return Step(_("The mean over the rows of the batch"), equation("L", total / Symbol("B", float(rows))))
    weights = series("r", "B", rows, partial(_numbers, "w", weight_B))
    return Step(_("The mean, divided by the weights of the rows' classes"), equation("L", total / weights))


def bce_steps(out: Array, y: Array, row: int) -> tuple[Step, ...]:
    """The steps from logits ``[B, 1]`` to one row's loss, the mean over rows, and the slope at its logit."""
    z, target = Symbol("z", float(out.reshape(-1)[row])), Symbol("y", float(y.reshape(-1)[row]))
    chance = equation("p", call("σ", z))
    p = Symbol("p", chance.value)
    stable = call("ReLU", z) - z * target + ln(1 + exp(-call("abs", z)))
    steps = [Step(_("The logit as the probability of class 1"), chance)]
    if 0 < p.number < 1:
        named = equation("ℓ", -(target * ln(p) + (1 - target) * ln(1 - p)))
        steps.append(Step(_("The row's loss: −ln of what its own class got"), named))
    title = _("Its slope at the logit: what it got less what it should")
    return (
        *steps,
        Step(_("The same without ever rounding p to 0 or 1, as torch computes it"), equation("ℓ", stable)),
        _mean_step(worked(Loss("bce"), out, y).terms, None),
        Step(title, equation("δ", (p - target) / Symbol("B", float(out.size)))),
    )


def row_steps(loss: Loss, out: Array, y: Array, row: int, k: int) -> tuple[Step, ...]:
    """The steps from the loss's formula: one row's loss, the mean, the slope at output k. out: ``[B, C]``."""
    terms = loss.terms
    assert terms is not None
    z = tuple(_numbers("z", out[row], str(c), c) for c in range(out.shape[1]))
    one, rows = terms.term(z, row_target(y, row)), Symbol("B", float(len(out)))
    title = _("Its slope at output {k}: {what}, shared by the rows").format(k=k, what=_(terms.slope_about))
    return (
        Step(_("The row's loss: {what}").format(what=_(terms.about)), equation("ℓ", one)),
        _mean_step(worked(loss, out, y).terms, None),
        Step(title, equation("δ", derivative(one, z[k]) / rows, str(k))),
    )


def loss_checks(loss: Loss, out: Array, y: Array, at: tuple[int, int], what: str) -> tuple[Check, ...]:
    """Checks of the loss of outputs ``[B, C]`` and of its slope at one of them, which ``what`` names."""
    mine, z = worked(loss, out, y), torch.from_numpy(out).requires_grad_()
    theirs = loss(z, torch.from_numpy(y))
    theirs.backward()
    assert z.grad is not None
    one = np.zeros_like(out)
    one[at] = 1.0
    difference = central(lambda by: worked(loss, out + by * one, y).loss)
    return (
        Check(_("L: torch, float64"), mine.loss, float(theirs.detach()), 1e-14),
        *slope_checks(what, float(mine.slope[at]), float(z.grad[at]), difference),
    )


# ---- the loss of a run's batch


def loss_steps(update: Update) -> tuple[Step, ...]:
    """The steps to one row's loss, the mean, and the slope at an output: that of the chosen weight's unit in
    the last layer, else of the row's class."""
    out, y, row, loss = update.through[-1].h, update.batch.y, update.row, update.loss
    last = update.place.layer == len(update.layers) - 1
    if loss.name == "bce":
        return bce_steps(out, y, row)
    if loss.of_classes:
        of = cross_entropy_steps if loss.name == "cross_entropy" else row_steps
        return of(loss, out, y, row, update.place.i if last else int(y[row]))
    if loss.by_row:
        return row_steps(loss, out, y, row, update.place.i if last else loss.link.point)
    place = row * out.shape[1] + (update.place.i if last else 0)
    return steps(loss.name, out.reshape(-1), y.reshape(-1), place)
