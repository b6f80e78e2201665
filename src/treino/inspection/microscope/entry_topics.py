"""Topics of losses and optimizers without a file in this package, generated from their registry entries."""

from functools import partial

import numpy as np
import torch

from treino.base.words import _
from treino.engine.losses import LOSSES, Loss
from treino.engine.optim import HP, OPTIMIZERS
from treino.inspection.microscope import neuron, optimizers, outlier
from treino.inspection.microscope.explanation import Check, Explanation, ExplanationPart, Topic
from treino.inspection.microscope.losses import row_steps
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import worked
from treino.inspection.microscope.run_explanation import (
    loss_is,
    optimizer_is,
    to_the_gradient,
    to_the_weight,
    topic_name,
)
from treino.inspection.microscope.update import Update

LOGITS = np.array([[2.0, -1.0, 0.5], [0.3, 0.1, -2.0]])  # the first row is right, the second wrong
LABELS = np.array([0, 1])
LR, H = 0.01, 1e-6


def entry_topics() -> dict[str, Topic]:
    """A topic for each loss with ``terms`` and each optimizer; ``topics`` prefers topics with files."""
    losses = [name for name, kind in LOSSES.items() if kind.terms is not None]
    topics = [
        Topic(
            topic_name(name), LOSSES[name].about, partial(_loss_example, name), partial(_loss_of, name),
            loss_is(topic_name(name)),
        ) for name in losses
    ] + [
        Topic(
            topic_name(name), OPTIMIZERS[name].about, partial(_optimizer_example, name),
            partial(_optimizer_of, name), optimizer_is(topic_name(name)),
        ) for name in OPTIMIZERS
    ]  # fmt: skip
    return {topic.name: topic for topic in topics}


# ---- losses


def _loss_example(name: str) -> Explanation:
    title, about = _title(name, LOSSES[name].about), _("Its formula, on numbers that are made up.")
    if not LOSSES[name].of_classes:
        return outlier.example(name, title, about, ())
    loss = Loss(name)
    parts = tuple(
        ExplanationPart(title, row_steps(loss, LOGITS, LABELS, row, int(LABELS[row])))
        for row, title in enumerate((_("A row that is right"), _("A row that is sure, and wrong")))
    )
    return Explanation(topic_name(name), title, about, parts, _loss_checks(loss))


def _loss_checks(loss: Loss) -> tuple[Check, ...]:
    mine, z = worked(loss, LOGITS, LABELS), torch.from_numpy(LOGITS).requires_grad_()
    theirs = loss(z, torch.from_numpy(LABELS))
    theirs.backward()
    assert z.grad is not None
    step = np.zeros_like(LOGITS)
    step[1, 1] = H
    ends = [worked(loss, LOGITS + by * step, LABELS).loss for by in (1, -1)]
    slope = float(mine.slope[1, 1])
    return (
        Check(_("L: torch, float64"), mine.loss, float(theirs.detach()), 1e-14),
        Check(_("{what}: torch.autograd, float64").format(what="δ₁"), slope, float(z.grad[1, 1]), 1e-14),
        Check(
            _("{what}: central finite difference").format(what="δ₁"),
            slope,
            (ends[0] - ends[1]) / (2 * H),
            1e-8,
        ),
    )


def _loss_of(name: str, update: Update) -> Explanation:
    return to_the_gradient(update, topic_name(name), ())


# ---- optimizers


def _optimizer_example(name: str) -> Explanation:
    kind = OPTIMIZERS[name].torch
    own = not kind.__module__.startswith("torch.")
    code = f"{'' if own else 'torch.optim.'}{kind.__name__}([w], lr={LR})"
    stops = neuron.walk(partial(_move, name))
    return Explanation(
        topic_name(name),
        _title(name, OPTIMIZERS[name].about),
        _("f(a, b, c) of three weights, a few updates of each."),
        neuron.parts(stops, code),
        neuron.checks(stops, code, {kind.__name__: kind} if own else {}),
    )


def _move(
    name: str, w: float, g: float, curvature: float, state: dict[str, float], t: int
) -> OptimizerResult:
    kind = OPTIMIZERS[name]
    before = {n: state.get(n, 0.0) for n in kind.states}
    hp = HP | {"lr": LR}
    return optimizers.moved(kind.lines(optimizers.inputs(w, g, before, hp, t)))


def _optimizer_of(name: str, update: Update) -> Explanation:
    return to_the_weight(update, topic_name(name), ())


def _title(name: str, about: str) -> str:
    return _("{topic}: {about}").format(topic=topic_name(name), about=_(about))
