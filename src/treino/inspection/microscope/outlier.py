"""The example for losses of numbers: four predictions with one outlier, and each loss's slope at it."""

import numpy as np
import torch

from treino.base.formula import Symbol, value
from treino.base.words import _
from treino.engine.losses import LOSSES
from treino.inspection.microscope.explanation import (
    Chart,
    ChartLine,
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
)
from treino.inspection.microscope.losses import mean, slope, steps, term

WANTED = np.array([1.0, 2.0, 3.0, 10.0])
PREDICTED = np.array([1.5, 1.25, 3.1, 4.0])
COMPARED = ("mse", "l1", "huber")
H = 1e-6


def example(kind: str, title: str, about: str, sources: tuple[str, ...]) -> Explanation:
    """The arithmetic of one loss on the four pairs, compared with mse, l1 and huber."""
    small, large = (steps(kind, PREDICTED, WANTED, place) for place in (0, 3))
    parts = (
        ExplanationPart(_("A small error"), small),
        ExplanationPart(_("A large one"), (large[0], large[2])),
        ExplanationPart(_("Beside the others"), (_comparison_step(kind), _picture(kind))),
    )
    return Explanation(kind, title, about, parts, checks(kind), sources)


def checks(kind: str) -> tuple[Check, ...]:
    ours = mean(kind, PREDICTED, WANTED)
    x, y = torch.from_numpy(PREDICTED).requires_grad_(), torch.from_numpy(WANTED)
    loss = LOSSES[kind].plain(x, y)
    loss.backward()
    assert x.grad is not None
    results = [Check(_("L: torch, float64"), value(ours), float(loss.detach()), 1e-14)]
    for place in (0, 3):
        mine = _slope(kind, place)
        ends = []
        for by in (H, -H):
            moved = PREDICTED.copy()
            moved[place] += by
            ends.append(value(mean(kind, moved, WANTED)))
        name = f"∂L/∂ŷ{'₁' if place == 0 else '₄'}"
        results += [
            Check(_("{what}: torch.autograd, float64").format(what=name), mine, float(x.grad[place]), 1e-14),
            Check(
                _("{what}: central finite difference").format(what=name),
                mine,
                (ends[0] - ends[1]) / (2 * H),
                1e-8,
            ),
        ]
    return tuple(results)


def _slope(kind: str, place: int) -> float:
    mine, theirs = Symbol("ŷ", float(PREDICTED[place])), Symbol("y", float(WANTED[place]))
    return value(slope(kind, mine, theirs)) / len(WANTED)


def _comparison_step(loss: str) -> Step:
    others = _compared(loss)
    rows = tuple(
        (float(p), float(y), float(p - y), *(_slope(kind, k) for kind in others))
        for k, (p, y) in enumerate(zip(PREDICTED, WANTED, strict=True))
    )
    slopes = (_("of {loss}").format(loss=kind) for kind in others[1:])
    headings = ("ŷ", "y", _("error"), _("slope of mse"), *slopes)
    text = _(
        "The pair that is far off pulls mse as hard as it is far. l1 hears only the sign; huber does so "
        "for large errors, and is round where they are small."
    )
    return Step(_("How hard each pair pulls at its prediction"), text=text, table=StepTable(headings, rows))


def _compared(kind: str) -> tuple[str, ...]:
    return COMPARED if kind in COMPARED else (*COMPARED, kind)


def _picture(loss: str) -> Step:
    errors = np.linspace(-3, 3, 121)
    lines = tuple(
        ChartLine(
            kind,
            tuple((float(e), value(term(kind, Symbol("ŷ", float(e)), Symbol("y", 0.0)))) for e in errors),
        )
        for kind in _compared(loss)
    )
    return Step(
        _("What one error costs"), picture=Chart(_("Cost of one error"), _("error"), _("cost"), lines)
    )
