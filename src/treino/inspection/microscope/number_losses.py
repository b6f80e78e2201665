"""Losses of numbers, step by step: mse, l1, huber."""

from dataclasses import dataclass

from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.formula import ONE, Expr, Formula, Op, Sum, Symbol, call, series, value
from treino.inspection.microscope.reference_layers import Array
from treino.words import N_, _

KINK = 1.0  # Huber's δ, torch's default


@dataclass(frozen=True)
class NumberLoss:
    """term: what one pair adds. slope: its derivative by ŷ, before the division by n."""

    term: str
    slope: str


SAID = {
    "mse": NumberLoss(N_("the error squared"), N_("twice the error")),
    "l1": NumberLoss(N_("the size of the error"), N_("its sign: 1, −1, or 0 where there is no error")),
    "huber": NumberLoss(
        N_("half the square of a small error (at most 1), the size less ½ of a large one"),
        N_("a small error itself, the sign of a large one"),
    ),
}


def term(kind: str, predicted: Expr, wanted: Expr) -> Expr:
    """What one pair adds to the sum."""
    if kind == "mse":
        return (predicted - wanted) ** 2
    size = call("abs", predicted - wanted)
    if kind == "l1":
        return size
    small = abs(value(predicted) - value(wanted)) <= KINK
    return (predicted - wanted) ** 2 / 2 if small else size - ONE / 2


def slope(kind: str, predicted: Expr, wanted: Expr) -> Expr:
    """Its derivative by the prediction."""
    if kind == "mse":
        return 2 * (predicted - wanted)
    if kind == "huber" and abs(value(predicted) - value(wanted)) <= KINK:
        return predicted - wanted
    return call("sign", predicted - wanted)


def mean(kind: str, predicted: Array, wanted: Array) -> Op:
    """(1/n) Σ term, of two flat arrays."""

    def one(sub: str, k: int) -> Expr:
        return term(kind, Symbol("ŷ", float(predicted[k]), sub), Symbol("y", float(wanted[k]), sub))

    found: Sum = series("i", "n", len(predicted), one)
    return 1 / Symbol("n", float(len(predicted))) * found


def steps(kind: str, predicted: Array, wanted: Array, place: int) -> tuple[Step, ...]:
    """One pair, the mean of all, and the slope at that pair; place: which pair is shown."""
    sub, n = str(place + 1), Symbol("n", float(len(predicted)))
    mine, theirs = Symbol("ŷ", float(predicted[place]), sub), Symbol("y", float(wanted[place]), sub)
    said = SAID[kind]
    one = Formula(Symbol("ℓ", 0.0, sub), term(kind, mine, theirs))
    back = Formula(Symbol("∂L/∂ŷ", 0.0, sub), slope(kind, mine, theirs) / n)
    return (
        Step(_("One pair: {what}").format(what=_(said.term)), one),
        Step(_("The mean of all"), Formula(Symbol("L", 0.0), mean(kind, predicted, wanted))),
        Step(_("Its slope at that prediction: {what}, shared by n").format(what=_(said.slope)), back),
    )
