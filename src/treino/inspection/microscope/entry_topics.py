"""Topics of losses and optimizers, generated from their registry entries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from treino.base.words import N_, _
from treino.engine.losses import LOSSES, Loss
from treino.engine.optim import OPTIMIZERS
from treino.inspection.microscope import neuron, optimizers, outlier
from treino.inspection.microscope.explanation import Explanation, ExplanationPart, Topic
from treino.inspection.microscope.losses import loss_checks, row_steps
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import ADAM, HUBER, MOMENTUM, SGD, torch_page
from treino.inspection.microscope.run_explanation import (
    own_loss,
    own_optimizer,
    to_the_gradient,
    to_the_weight,
    topic_name,
)
from treino.inspection.microscope.update import Update

LOGITS = np.array([[2.0, -1.0, 0.5], [0.3, 0.1, -2.0]])  # the first row is right, the second wrong
LABELS = np.array([0, 1])


@dataclass(frozen=True)
class EntryText:
    """What a topic says beside its entry's formulas.

    entry: the name in the registry. listed: the line in the list of topics. title, about: of the example; ""
    for those that fit every entry. All three are marked with ``N_``. settings: an optimizer's, in the
    example.
    """

    entry: str
    topic: str
    listed: str
    title: str = ""
    about: str = ""
    sources: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=lambda: {"lr": 0.01})

    @property
    def headline(self) -> str:
        usual = _("{topic}: {about}").format(topic=self.topic, about=_(self.listed))
        return _(self.title) if self.title else usual

    def of_gradient(self, update: Update) -> Explanation:
        return to_the_gradient(update, self.topic, self.sources)

    def of_weight(self, update: Update) -> Explanation:
        return to_the_weight(update, self.topic, self.sources)


OF_LOSSES = (
    EntryText(
        "l1",
        "l1",
        N_("the mean absolute error: how far off, whoever is far off"),
        N_("l1: the mean absolute error"),
        N_("The mean size of the errors. Its slope tells on which side a prediction is, not how far off."),
        (torch_page("torch.nn.L1Loss"),),
    ),
    EntryText(
        "huber",
        "huber",
        N_("a square for small errors, a line for large ones"),
        N_("huber: a square that becomes a line"),
        N_("Half the square of an error up to 1, a line beyond: mse near the mark, l1 far from it."),
        (HUBER, torch_page("torch.nn.HuberLoss")),
    ),
)
OF_OPTIMIZERS = (
    EntryText(
        "sgd",
        "sgd",
        N_("gradient descent: against the slope"),
        N_("sgd: gradient descent"),
        N_("f(a, b, c) of three weights: each goes a little way against its own slope."),
        (SGD, torch_page("torch.optim.SGD")),
    ),
    EntryText(
        "sgd",
        "momentum",
        N_("a velocity that remembers gradients"),
        N_("momentum: gradient descent with a velocity"),
        N_("The velocity keeps nine tenths of itself at each update and takes the new gradient on."),
        (MOMENTUM, torch_page("torch.optim.SGD")),
        {"lr": 0.01, "momentum": 0.9},
    ),
    EntryText(
        "adam",
        "adam",
        N_("running means of slope and square"),
        N_("adam: steps of the gradient's mean over the root of its mean square"),
        N_("Two means that forget, corrected because they begin at 0, and the step that they make."),
        (ADAM, torch_page("torch.optim.Adam")),
        {"lr": 0.02, "betas": (0.9, 0.999), "eps": 1e-8},
    ),
)


def entry_topics() -> dict[str, Topic]:
    """A topic for each loss with ``terms`` and each optimizer, ``momentum`` beside ``sgd``."""
    topics = {}
    for text in _texts({n: kind.about for n, kind in LOSSES.items() if kind.terms is not None}, OF_LOSSES):
        topics[text.topic] = Topic(
            text.topic, text.listed, partial(_loss_example, text), text.of_gradient, own_loss
        )
    for text in _texts({n: kind.about for n, kind in OPTIMIZERS.items()}, OF_OPTIMIZERS):
        example = partial(_optimizer_example, text)
        topics[text.topic] = Topic(text.topic, text.listed, example, text.of_weight, own_optimizer)
    return topics


def _texts(about: dict[str, str], told: Sequence[EntryText]) -> list[EntryText]:
    """The texts that are told, and those that follow from the descriptions of the other entries."""
    others = about.keys() - {text.entry for text in told}
    return [*told, *(EntryText(name, topic_name(name), about[name]) for name in about if name in others)]


# ---- losses


def _loss_example(text: EntryText) -> Explanation:
    about = _(text.about) if text.about else _("Its formula, on numbers that are made up.")
    if not LOSSES[text.entry].of_classes:
        return outlier.example(text.entry, text.headline, about, text.sources)
    loss = Loss(text.entry)
    parts = tuple(
        ExplanationPart(title, row_steps(loss, LOGITS, LABELS, row, int(LABELS[row])))
        for row, title in enumerate((_("A row that is right"), _("A row that is sure, and wrong")))
    )
    return Explanation(
        text.topic, text.headline, about, parts, loss_checks(loss, LOGITS, LABELS, (1, 1), "δ₁")
    )


# ---- optimizers


def _optimizer_example(text: EntryText) -> Explanation:
    kind = OPTIMIZERS[text.entry].torch
    own = not kind.__module__.startswith("torch.")
    settings = ", ".join(f"{name}={value}" for name, value in text.settings.items())
    code = f"{'' if own else 'torch.optim.'}{kind.__name__}([w], {settings})"
    stops = neuron.walk(partial(_move, text))
    return Explanation(
        text.topic,
        text.headline,
        _(text.about) if text.about else _("f(a, b, c) of three weights, a few updates of each."),
        neuron.parts(stops, code),
        neuron.checks(stops, code, {kind.__name__: kind} if own else {}),
        text.sources,
    )


def _move(text: EntryText, w: float, g: float, state: dict[str, float], t: int) -> OptimizerResult:
    return optimizers.update(text.entry, w, g, state, text.settings, t)
