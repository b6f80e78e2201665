"""Conditions on a run: which topics of ``treino explain`` apply to it."""

from collections.abc import Callable

from treino.inspection.microscope.optimizer_walkthrough import kind
from treino.inspection.microscope.update import Update
from treino.words import _

Refusal = tuple[str, str, str]


def topic_name(entry: str) -> str:
    """The name of the topic for the loss or optimizer with this name."""
    return entry.replace("_", "-")


def loss_is(name: str) -> Callable[[Update], Refusal | None]:
    """Refuses runs with another loss."""

    def refuses(update: Update) -> Refusal | None:
        theirs = topic_name(update.loss.name)
        return (
            None if theirs == name else _other(update, name, theirs, _("the loss {name}").format(name=theirs))
        )

    return refuses


def optimizer_is(name: str) -> Callable[[Update], Refusal | None]:
    """Refuses runs with another optimizer; sgd with momentum is ``momentum``."""

    def refuses(update: Update) -> Refusal | None:
        theirs = topic_name(kind(update))
        optimizer = _("sgd without momentum") if theirs == "sgd" else _("sgd with momentum")
        optimizer = optimizer if theirs in ("sgd", "momentum") else theirs
        return None if theirs == name else _other(update, name, theirs, optimizer)

    return refuses


def anything(update: Update) -> Refusal | None:
    return None


def _other(update: Update, topic: str, theirs: str, optimizer: str) -> Refusal:
    return (
        "explain_topic_fits_not",
        _("{asked} does not explain {run}: it was trained with {said}.").format(
            asked=topic, run=update.run, said=optimizer
        ),
        _("Ask for: treino explain {theirs} {run}, or treino explain {asked} alone.").format(
            theirs=theirs, run=update.typed, asked=topic
        ),
    )
