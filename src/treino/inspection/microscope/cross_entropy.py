"""Topic: cross-entropy of classes, and its lower bound if softmax is applied twice."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from treino.base.formula import Constant, Formula, Symbol, exp, ln
from treino.base.words import N_, _
from treino.engine.losses import Loss
from treino.inspection.microscope.explanation import (
    Chart,
    ChartLine,
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
    Topic,
)
from treino.inspection.microscope.losses import cross_entropy_steps, loss_checks
from treino.inspection.microscope.reference import torch_page, worked
from treino.inspection.microscope.run_explanation import own_loss, to_the_gradient
from treino.inspection.microscope.update import Update

LOGITS = np.array([[2.0, 1.0, -1.0], [0.5, 2.5, 0.0]])
WANTED = np.array([0, 2])
DIGITS = 10  # classes of handwritten digits, the course's example
SOURCES = (torch_page("torch.nn.CrossEntropyLoss"),)


def example() -> Explanation:
    once, twice = Loss("cross_entropy"), Loss("cross_entropy", softmax_first=True)
    return Explanation(
        "cross-entropy",
        _("cross-entropy: softmax, then −ln of the true class's share"),
        _("Two rows, three classes. Then the same with softmax applied twice, as in the beginners' loop."),
        (
            ExplanationPart(_("One row"), cross_entropy_steps(once, LOGITS, WANTED, 0, 0)),
            ExplanationPart(
                _("Softmax twice, on the same numbers"),
                tuple(
                    Step(s.title, s.formula, s.text, wrong=True)
                    for s in cross_entropy_steps(twice, LOGITS, WANTED, 0, 0)
                ),
            ),
            floor_part(DIGITS),
        ),
        (
            *_checks(once, _("softmax once")),
            *_checks(twice, _("softmax twice")),
            *floor_checks(DIGITS),
        ),
        SOURCES,
    )


def _checks(loss: Loss, name: str) -> Iterator[Check]:
    for check in loss_checks(loss, LOGITS, WANTED, (0, 0), "δ₀"):
        yield replace(check, name=f"{name}, {check.name}")


def floor(classes: int) -> Formula:
    """The smallest cross-entropy after an additional softmax, which at best gives the true class 1 and all
    others 0."""
    return Formula(Symbol("L", 0.0, "min"), ln(1 + (Symbol("C", float(classes)) - 1) / exp(Constant(1.0))))


def floor_part(classes: int) -> ExplanationPart:
    """The derivation of the bound ln(1 + (C−1)/e), and the loss of a row as its true class's logit grows."""
    C = Symbol("C", float(classes))
    e = exp(Constant(1.0))
    best = Formula(Symbol("p", 0.0, "max"), e / (e + (C - 1) * exp(Constant(0.0))))
    rows, once, twice = [], [], []
    for logit in (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0):
        single, double = _sure(classes, logit)
        rows.append((logit, single, double))
    for logit in np.linspace(0, 20, 81):
        single, double = _sure(classes, float(logit))
        once.append((float(logit), single))
        twice.append((float(logit), double))
    low = floor(classes).value
    text = _(
        "Softmax turns the best logits there are into 1 and zeros. Cross-entropy takes these for logits "
        "and applies softmax again: of 1 and zeros it makes e/(e + C − 1), and no more."
    )
    table = StepTable(
        (_("logit of the true class, others 0"), _("loss, softmax once"), _("twice")), tuple(rows)
    )
    picture = Chart(
        _("The loss of a row that gets ever more certain"),
        _("logit of the true class, others 0"),
        _("loss"),
        (
            ChartLine(_("softmax once"), tuple(once)),
            ChartLine(_("softmax twice"), tuple(twice), dashed=True),
            ChartLine(_("floor"), ((0.0, low), (20.0, low)), dashed=True),
        ),
    )
    return ExplanationPart(
        _("The floor under softmax twice, {classes} classes").format(classes=classes),
        (
            Step(_("The most that the true class can get"), best, text),
            Step(_("So the loss can't fall below this, however well the network knows"), floor(classes)),
            Step(_("Ever more certain"), table=table, picture=picture),
        ),
    )


def _sure(classes: int, logit: float) -> tuple[float, float]:
    out = np.zeros((1, classes))
    out[0, 0] = logit
    y = np.array([0])
    once, twice = (worked(Loss("cross_entropy", softmax_first=f), out, y).loss for f in (False, True))
    return once, twice


def floor_checks(classes: int) -> tuple[Check, ...]:
    z = torch.zeros(1, classes, dtype=torch.float64)
    z[0, 0] = 1e4
    theirs = float(F.cross_entropy(z.softmax(-1), torch.tensor([0])))
    ours = floor(classes).value
    return (
        Check(_("The floor: torch, of a row as certain as can be"), ours, theirs, 1e-14),
        Check(_("The floor: ln(1 + (C−1)/e) in Python"), ours, math.log1p((classes - 1) / math.e), 1e-14),
    )


def of(update: Update) -> Explanation:
    classes = update.through[-1].h.shape[1]
    more = (floor_part(classes),) if update.loss.softmax_first else ()
    return to_the_gradient(update, "cross-entropy", SOURCES, *more)


TOPIC = Topic(
    "cross-entropy",
    N_("softmax and −ln; and the floor under softmax applied twice"),
    example,
    of,
    own_loss,
)
