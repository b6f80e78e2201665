"""Topics of losses: mse on the course's snippet, bce, cross-entropy with its floor, others on few numbers."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from treino.base.formula import Array, Constant, Formula, Symbol, exp, ln, series, value
from treino.base.words import N_, _
from treino.engine import LOSSES, QUANTILES, Loss
from treino_microscope import losses
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
    slope_checks,
)
from treino_microscope.losses import bce_steps, cross_entropy_steps, loss_checks, row_steps, term
from treino_microscope.reference import HUBER, torch_page, worked
from treino_microscope.run_explanation import own_loss, to_the_gradient, topic_name
from treino_microscope.update import Update

# ---- the mean squared error, in the course's snippet

SNIPPET = """\
from torch import nn

criterion = nn.MSELoss() # Declaração da função de perda

y = torch.randn(3, 5) # tensor aleatorio
y_pred = torch.randn(3, 5, requires_grad=True) # tensor aleatorio

loss = criterion(y_pred, y) # calculo da perda com MSE
loss.backward() # Obtenção da derivada
"""


def _mse() -> Worked:
    """The course's unchanged snippet, run with seed 0, and its arithmetic."""
    place: dict[str, torch.Tensor] = {"torch": torch}  # type: ignore[dict-item]
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        exec(SNIPPET, place)
    y, predicted = (place[n].detach().double().numpy().reshape(-1) for n in ("y", "y_pred"))
    gradient = place["y_pred"].grad
    assert gradient is not None
    theirs = gradient.double().numpy().reshape(-1)
    steps = losses.steps("mse", predicted, y, 0)
    L, back = steps[1].value, steps[2].value
    fifteen = series("i", "15", 15, partial(losses.pair_term, "mse", predicted, y))
    slope = 2 * (predicted - y) / 15
    worst = int(np.abs(slope - theirs).argmax())
    torch64 = float(F.mse_loss(torch.from_numpy(predicted), torch.from_numpy(y)))
    one = np.eye(15)[0]
    difference = central(lambda by: float(np.square(predicted + by * one - y).mean()))
    guess = _(
        "The formula says 1/n and the tensors have 3 rows, so 3 is the usual guess; torch averages over all "
        "15 numbers."
    )
    title = _("Divided by the 3 rows, it would be five times as much")
    by_rows = Step(title, equation("L", 1 / Symbol("n", 3.0) * fifteen, "3"), guess, wrong=True)
    return (
        ExplanationPart(_("The snippet"), (Step(_("Run as written, import torch before it"), code=SNIPPET),)),
        ExplanationPart(_("The arithmetic"), steps),
        ExplanationPart(_("What n is not"), (by_rows,)),
    ), (
        Check(_("L: the snippet's own loss, float32"), L, float(place["loss"].detach()), 1e-6),
        Check(_("L: torch.nn.functional.mse_loss, float64"), L, torch64, 1e-14),
        Check(_("∂L/∂ŷ₁: the snippet's backward, float32"), back, float(theirs[0]), 1e-6),
        Check(_("∂L/∂ŷ: the worst of all 15, float32"), float(slope[worst]), float(theirs[worst]), 1e-6),
        Check(_("∂L/∂ŷ₁: central finite difference"), back, difference, 1e-8),
    )


# ---- other losses of numbers, compared at an outlier

WANTED = np.array([1.0, 2.0, 3.0, 10.0])
PREDICTED = np.array([1.5, 1.25, 3.1, 4.0])
COMPARED = ("mse", "l1", "huber")


def _of_numbers(kind: str) -> Worked:
    """The arithmetic of one loss on four predictions with one outlier, compared with mse, l1 and huber."""
    kinds = COMPARED if kind in COMPARED else (*COMPARED, kind)
    steps = {each: [losses.steps(each, PREDICTED, WANTED, place) for place in range(4)] for each in kinds}
    small, *_between, large = steps[kind]
    slopes = [[steps[each][place][2].value for each in kinds] for place in range(4)]
    rows = tuple(
        (float(p), float(y), float(p - y), *of) for p, y, of in zip(PREDICTED, WANTED, slopes, strict=True)
    )
    of_others = (_("of {loss}").format(loss=each) for each in kinds[1:])
    headings = ("ŷ", "y", _("error"), _("slope of mse"), *of_others)
    text = _(
        "The pair that is far off pulls mse as hard as it is far. l1 hears only the sign; huber does so "
        "for large errors, and is round where they are small."
    )
    lines = tuple(
        ChartLine(
            each,
            tuple(
                (e, value(term(each, Symbol("ŷ", e), Symbol("y", 0.0))))
                for e in np.linspace(-3, 3, 121).tolist()
            ),
        )
        for each in kinds
    )
    beside = (
        Step(_("How hard each pair pulls at its prediction"), text=text, table=StepTable(headings, rows)),
        Step(_("What one error costs"), picture=Chart(_("Cost of one error"), _("error"), _("cost"), lines)),
    )
    x = torch.from_numpy(PREDICTED).requires_grad_()
    loss = Loss(kind)(x, torch.from_numpy(WANTED))
    loss.backward()
    assert x.grad is not None
    checks = [Check(_("L: torch, float64"), small[1].value, float(loss.detach()), 1e-14)]
    for place, name, of in ((0, "∂L/∂ŷ₁", small), (3, "∂L/∂ŷ₄", large)):
        one = np.eye(4)[place]
        difference = central(partial(_mean_beside, kind, one))
        checks += slope_checks(name, of[2].value, float(x.grad[place]), difference)
    return (
        ExplanationPart(_("A small error"), small),
        ExplanationPart(_("A large one"), (large[0], large[2])),
        ExplanationPart(_("Beside the others"), beside),
    ), checks


def _mean_beside(kind: str, one: Array, by: float) -> float:
    return value(losses.mean(kind, PREDICTED + by * one, WANTED))


# ---- losses of classes

LOGITS = np.array([[2.0, -1.0, 0.5], [0.3, 0.1, -2.0]])  # the first row is right, the second wrong
LABELS = np.array([0, 1])
NUMBERS = np.array([[0.6], [-3.0]])


def _of_rows(name: str) -> Worked:
    """Of a loss of classes, or of several outputs for one number."""
    kind = LOSSES[name]
    out, y, at = LOGITS, LABELS, LABELS
    titles = _("A row that is right"), _("A row that is sure, and wrong")
    loss = Loss(name, levels=QUANTILES if "quantiles" in kind.reads else ())
    if kind.joint:
        out, y, at = np.sort(LOGITS)[:, : loss.outputs(1)], NUMBERS, np.ones(2)
        titles = _("A row with a small error"), _("A row with a large one")
    parts = [
        ExplanationPart(title, row_steps(loss, out, y, row, int(at[row]))) for row, title in enumerate(titles)
    ]
    return parts, loss_checks(loss, out, y, (1, 1), "δ₁")


def _bce() -> Worked:
    z, y = np.array([[2.0], [-1.0], [0.5], [3.0]]), np.array([[1.0], [0.0], [0.0], [0.0]])
    loss = Loss("bce")
    mine = worked(loss, z, y)
    rows = tuple(map(tuple, np.stack([z[:, 0], y[:, 0], mine.terms, mine.slope[:, 0]], 1).tolist()))
    table = StepTable((_("logit z"), "y", _("loss of the row"), _("slope at z")), rows)
    text = _("Sure and wrong costs most, and pulls hardest; sure and right costs next to nothing.")
    return (
        ExplanationPart(_("A row that is right"), bce_steps(z, y, 0)[:3]),
        ExplanationPart(_("A row that is sure, and wrong"), bce_steps(z, y, 3)),
        ExplanationPart(_("All rows"), (Step(_("What each costs"), text=text, table=table),)),
    ), loss_checks(loss, z, y, (3, 0), "δ₄")


DIGITS = 10  # classes of handwritten digits, the course's example


def _cross_entropy() -> Worked:
    once, twice = Loss("cross_entropy"), Loss("cross_entropy", softmax_first=True)
    z, y = np.array([[2.0, 1.0, -1.0], [0.5, 2.5, 0.0]]), np.array([0, 2])

    def checks() -> Iterator[Check]:
        for loss, name in ((once, _("softmax once")), (twice, _("softmax twice"))):
            for check in loss_checks(loss, z, y, (0, 0), "δ₀"):
                yield replace(check, name=f"{name}, {check.name}")
        certain = torch.zeros(1, DIGITS, dtype=torch.float64)
        certain[0, 0] = 1e4
        theirs = float(F.cross_entropy(certain.softmax(-1), torch.tensor([0])))
        low, plain = floor(DIGITS).value, math.log1p((DIGITS - 1) / math.e)
        yield Check(_("The floor: torch, of a row as certain as can be"), low, theirs, 1e-14)
        yield Check(_("The floor: ln(1 + (C−1)/e) in Python"), low, plain, 1e-14)

    wrong = tuple(replace(step, wrong=True) for step in cross_entropy_steps(twice, z, y, 0, 0))
    return (
        ExplanationPart(_("One row"), cross_entropy_steps(once, z, y, 0, 0)),
        ExplanationPart(_("Softmax twice, on the same numbers"), wrong),
        floor_part(DIGITS),
    ), checks()


def floor(classes: int) -> Formula:
    """The smallest cross-entropy after an additional softmax, which at best gives the true class 1 and all
    others 0."""
    return equation("L", ln(1 + (Symbol("C", float(classes)) - 1) / exp(Constant(1.0))), "min")


def floor_part(classes: int) -> ExplanationPart:
    """The derivation of the bound ln(1 + (C−1)/e), and the loss of a row as its true class's logit grows."""
    C, e, low = Symbol("C", float(classes)), exp(Constant(1.0)), floor(classes)
    best = equation("p", e / (e + (C - 1) * exp(Constant(0.0))), "max")

    def lost(logit: float) -> tuple[float, float, float]:
        out, y = logit * np.eye(1, classes), np.array([0])
        once, twice = (worked(Loss("cross_entropy", softmax_first=f), out, y).loss for f in (False, True))
        return logit, once, twice

    text = _(
        "Softmax turns the best logits there are into 1 and zeros. Cross-entropy takes these for logits "
        "and applies softmax again: of 1 and zeros it makes e/(e + C − 1), and no more."
    )
    axis, curve = _("logit of the true class, others 0"), [lost(float(z)) for z in np.linspace(0, 20, 81)]
    table = StepTable(
        (axis, _("loss, softmax once"), _("twice")), tuple(map(lost, (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0)))
    )
    lines = (
        ChartLine(_("softmax once"), tuple((z, once) for z, once, _twice in curve)),
        ChartLine(_("softmax twice"), tuple((z, twice) for z, _once, twice in curve), dashed=True),
        ChartLine(_("floor"), ((0.0, low.value), (20.0, low.value)), dashed=True),
    )
    picture = Chart(_("The loss of a row that gets ever more certain"), axis, _("loss"), lines)
    return ExplanationPart(
        _("The floor under softmax twice, {classes} classes").format(classes=classes),
        (
            Step(_("The most that the true class can get"), best, text),
            Step(_("So the loss can't fall below this, however well the network knows"), low),
            Step(_("Ever more certain"), table=table, picture=picture),
        ),
    )


def _with_floor(update: Update) -> Worked:
    parts, checks = to_the_gradient(update)
    more = (floor_part(update.through[-1].h.shape[1]),) if update.loss.softmax_first else ()
    return (*parts, *more), checks


# ---- the topics

_topic = partial(Topic, on_run=to_the_gradient, own=own_loss)
TOLD = (
    _topic(
        "mse",
        N_("the mean squared error, and what its n counts"),
        N_("mse: the mean squared error"),
        N_("A snippet, run as written. n counts numbers, not rows: 3 × 5 = 15."),
        (torch_page("torch.nn.MSELoss"),),
        _mse,
    ),
    _topic(
        "l1",
        N_("the mean absolute error: how far off, whoever is far off"),
        N_("l1: the mean absolute error"),
        N_("The mean size of the errors. Its slope tells on which side a prediction is, not how far off."),
        (torch_page("torch.nn.L1Loss"),),
        partial(_of_numbers, "l1"),
    ),
    _topic(
        "huber",
        N_("a square for small errors, a line for large ones"),
        N_("huber: a square that becomes a line"),
        N_("Half the square of an error up to 1, a line beyond: mse near the mark, l1 far from it."),
        (HUBER, torch_page("torch.nn.HuberLoss")),
        partial(_of_numbers, "huber"),
    ),
    _topic(
        "bce",
        N_("binary cross-entropy: two classes, one logit"),
        N_("bce: binary cross-entropy from one logit"),
        N_(
            "The logit z says how sure the network is of class 1; the loss is −ln of what the true class got."
        ),
        (torch_page("torch.nn.BCEWithLogitsLoss"),),
        _bce,
    ),
    _topic(
        "cross-entropy",
        N_("softmax and −ln; and the floor under softmax applied twice"),
        N_("cross-entropy: softmax, then −ln of the true class's share"),
        N_("Two rows, three classes. Then the same with softmax applied twice, as in the beginners' loop."),
        (torch_page("torch.nn.CrossEntropyLoss"),),
        _cross_entropy,
        on_run=_with_floor,
    ),
)


def loss_topics() -> dict[str, Topic]:
    """A topic for each loss with ``terms``, and for bce and cross-entropy."""
    told = {topic.name: topic for topic in TOLD}
    for name, kind in LOSSES.items():
        if kind.terms is not None and topic_name(name) not in told:
            worked = _of_rows if kind.of_classes or kind.joint else _of_numbers
            told[topic_name(name)] = _topic(
                topic_name(name),
                kind.about,
                N_("{topic}: {about}"),
                N_("Its formula, on numbers that are made up."),
                (),
                partial(worked, name),
            )
    return told
