"""The losses of classes: softmax and cross-entropy (once, or by mistake twice), and bce for one logit."""

import numpy as np

from treino.engine.losses import Loss
from treino.inspection.microscope.by_hand import log_softmax, row_weights, soft_targets, softmax
from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.formula import (
    Expr,
    Formula,
    Symbol,
    call,
    exp,
    ln,
    series,
)
from treino.inspection.microscope.hand import Array
from treino.words import _

LARGE = 100.0  # logits so far apart are written with the largest taken away, or eᶻ would overflow


def share(name: str, z: Array, k: int, mark: str = "") -> Formula:
    """p_k = e^{z_k} / Σ e^{z_c}: softmax of logits ``[C]``."""
    top = Symbol("z", float(z.max()), "max") if np.ptp(z) > LARGE or abs(z).max() > LARGE else None

    def raised(sub: str, c: int) -> Expr:
        logit = Symbol(name, float(z[c]), sub)
        return exp(logit if top is None else logit - top)

    return Formula(Symbol(mark or "p", 0.0, str(k)), raised(str(k), k) / series("k", "", len(z), raised))


def cross_entropy_steps(loss: Loss, out: Array, y: Array, row: int, k: int) -> tuple[Step, ...]:
    """One row's way from logits ``[B, C]`` to its loss, the mean over the rows, the slope at logit k."""
    classes, own = out.shape[1], int(y[row])
    z, steps, name = out[row], [], "z"
    if loss.softmax_first:
        q = softmax(z)
        steps.append(
            Step(
                _("Softmax, as a layer of the network: not needed, and what the loss does anyway"),
                share("z", z, own, "q"),
            )
        )
        z, name = q, "q"
    p, logp = softmax(z), log_softmax(z)
    steps.append(
        Step(_("Softmax: the logit of class {k} as a probability").format(k=own), share(name, z, own))
    )
    target, weights = soft_targets(loss, y, classes), row_weights(loss, y)
    plain = not loss.label_smoothing and loss.class_weights is None
    if plain:
        seen = Symbol("p", float(p[own]), str(own))
        if p[own] > 0:
            one = Formula(Symbol("ℓ", 0.0), -ln(seen))
        else:  # too small for a number: its logarithm is had without it
            one = Formula(Symbol("ℓ", 0.0), -Symbol("ln p", float(logp[own]), str(own)))
        steps.append(Step(_("Cross-entropy of the row: −ln of what its own class got"), one))
    else:

        def weighed(sub: str, c: int) -> Expr:
            return Symbol("t", float(target[row, c]), sub) * Symbol("ln p", float(logp[c]), sub)

        said = _("t holds {smoothing} of label smoothing and the class weights.").format(
            smoothing=f"{loss.label_smoothing:g}"
        )
        total = Formula(Symbol("ℓ", 0.0), -series("k", "", classes, weighed))
        steps.append(Step(_("Cross-entropy of the row against its softened, weighted target"), total, said))
    terms = -(target * log_softmax(softmax(out) if loss.softmax_first else out)).sum(1)

    def lost(sub: str, r: int) -> Expr:
        return Symbol("ℓ", float(terms[r]), sub)

    def weight(sub: str, r: int) -> Expr:
        return Symbol("w", float(weights[r]), sub)

    rows = len(y)
    below: Expr = Symbol("B", float(rows)) if loss.class_weights is None else series("r", "B", rows, weight)
    steps.append(
        Step(
            _("The mean over the rows of the batch"),
            Formula(Symbol("L", 0.0), series("r", "B", rows, lost) / below),
        )
        if loss.class_weights is None
        else Step(
            _("The mean, divided by the weights of the rows' classes"),
            Formula(Symbol("L", 0.0), series("r", "B", rows, lost) / below),
        )
    )
    total_weight = float(weights.sum())
    mass = float(target[row].sum())
    W = Symbol("B", total_weight) if loss.class_weights is None else Symbol("Σw", total_weight)
    seen = Symbol("p", float(p[k]), str(k))
    wanted = Symbol("t", float(target[row, k]), str(k))
    inner: Expr = (seen - wanted) if plain else (seen * Symbol("Σt", mass) - wanted)
    if not loss.softmax_first:
        back = Formula(Symbol("δ", 0.0, str(k)), inner / W)
        steps.append(Step(_("Its slope at logit {k}: what it got less what it should").format(k=k), back))
        return tuple(steps)
    d = (p * mass - target[row]) / total_weight
    steps.append(Step(_("The slope at q, softmax's output"), Formula(Symbol("d", 0.0, str(k)), inner / W)))

    def through(sub: str, c: int) -> Expr:
        return Symbol("d", float(d[c]), sub) * Symbol("q", float(z[c]), sub)

    own_q = Symbol("q", float(z[k]), str(k))
    squeezed = own_q * (Symbol("d", float(d[k]), str(k)) - series("k", "", classes, through))
    steps.append(
        Step(_("Back through the first softmax: q is small or near 1, and little comes through"),
             Formula(Symbol("δ", 0.0, str(k)), squeezed))
    )  # fmt: skip
    return tuple(steps)


def bce_steps(out: Array, y: Array, row: int) -> tuple[Step, ...]:
    """One row's way from its logit ``[B, 1]`` to its loss, the mean, the slope."""
    z, wanted = Symbol("z", float(out.reshape(-1)[row])), Symbol("y", float(y.reshape(-1)[row]))
    chance = Formula(Symbol("p", 0.0), call("σ", z))
    p = Symbol("p", chance.value)
    n = Symbol("B", float(out.size))
    stable = call("ReLU", z) - z * wanted + ln(1 + exp(-call("abs", z)))
    terms = np.maximum(out, 0) - out * y.reshape(out.shape) + np.log1p(np.exp(-np.abs(out)))

    def lost(sub: str, r: int) -> Expr:
        return Symbol("ℓ", float(terms.reshape(-1)[r]), sub)

    plain: tuple[Step, ...] = ()
    if 0 < p.number < 1:
        named = Formula(Symbol("ℓ", 0.0), -(wanted * ln(p) + (1 - wanted) * ln(1 - p)))
        plain = (Step(_("The row's loss: −ln of what its own class got"), named),)
    return (
        Step(_("The logit as the probability of class 1"), chance),
        *plain,
        Step(
            _("The same without ever rounding p to 0 or 1, as torch computes it"),
            Formula(Symbol("ℓ", 0.0), stable),
        ),
        Step(
            _("The mean over the rows of the batch"),
            Formula(Symbol("L", 0.0), series("r", "B", out.size, lost) / n),
        ),
        Step(
            _("Its slope at the logit: what it got less what it should"),
            Formula(Symbol("δ", 0.0), (p - wanted) / n),
        ),
    )
