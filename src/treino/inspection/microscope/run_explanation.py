"""Explanations of a run's step: from the batch to the gradient, and on to the new weight."""

from treino.inspection.microscope.explanation import Explanation, ExplanationPart
from treino.inspection.microscope.gradient_walkthrough import gradient_checks, way
from treino.inspection.microscope.optimizer_walkthrough import OptimizerStep, moving_checks, optimizer_step
from treino.inspection.microscope.update import Update
from treino.words import _, numeral


def to_the_gradient(
    update: Update, topic: str, sources: tuple[str, ...], *more: ExplanationPart
) -> Explanation:
    """The explanation from the rows to the gradient of the weight. more: further parts."""
    return Explanation(
        topic, title(update, topic), about(update), (*way(update), *more), gradient_checks(update), sources
    )


def to_the_weight(
    update: Update,
    topic: str,
    sources: tuple[str, ...],
    step: OptimizerStep | None = None,
    *more: ExplanationPart,
) -> Explanation:
    """The explanation from the rows to the new value of the weight."""
    step = step or optimizer_step(update)
    checks = (*gradient_checks(update), *moving_checks(update, step))
    return Explanation(
        topic, title(update, topic), about(update), (*way(update), step.part, *more), checks, sources
    )


def title(update: Update, topic: str) -> str:
    return _("{topic}: update {number:,} of {run}").format(
        topic=topic, number=update.step + 1, run=update.run
    )


def about(update: Update) -> str:
    place = update.place
    at = f"{place.layer},{place.i}" + ("" if place.j is None else f",{place.j}")
    return _("The arithmetic of one update of one weight, {at}: {value}.").format(
        at=at, value=numeral(update.weight, ".9g").replace("-", "−")
    )
