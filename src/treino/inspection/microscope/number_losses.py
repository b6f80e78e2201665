"""Losses of pairs, an output and its target, step by step: mse, l1, huber."""

from treino.engine.losses import LOSSES, Terms
from treino.formula import Array, Expr, Formula, Op, Sum, Symbol, series
from treino.inspection.microscope.explanation import Step
from treino.inspection.microscope.reference_losses import pair_slope
from treino.words import _


def terms_of(kind: str) -> Terms:
    """The terms of the loss with this name."""
    terms = LOSSES[kind].terms
    assert terms is not None
    return terms


def term(kind: str, predicted: Expr, target: Expr) -> Expr:
    """The term of one pair."""
    return terms_of(kind).term(predicted, target)


def slope(kind: str, predicted: Symbol, target: Expr) -> Expr:
    """The term's derivative by the prediction."""
    return pair_slope(terms_of(kind), predicted, target)


def mean(kind: str, predicted: Array, target: Array) -> Op:
    """(1/n) Σ term, of two flat arrays."""

    def one(sub: str, k: int) -> Expr:
        return term(kind, Symbol("ŷ", float(predicted[k]), sub), Symbol("y", float(target[k]), sub))

    total: Sum = series("i", "n", len(predicted), one)
    return 1 / Symbol("n", float(len(predicted))) * total


def steps(kind: str, predicted: Array, target: Array, place: int) -> tuple[Step, ...]:
    """The steps of one pair, the mean of all, and the slope at that pair. place: the pair shown."""
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
