"""Topic: the mean absolute error."""

from treino.base.words import N_, _
from treino.inspection.microscope import outlier
from treino.inspection.microscope.explanation import Explanation, Topic
from treino.inspection.microscope.reference import torch_page
from treino.inspection.microscope.run_explanation import loss_is, to_the_gradient
from treino.inspection.microscope.update import Update

SOURCES = (torch_page("torch.nn.L1Loss"),)


def example() -> Explanation:
    about = _("The mean size of the errors. Its slope tells on which side a prediction is, not how far off.")
    return outlier.example("l1", _("l1: the mean absolute error"), about, SOURCES)


def of(update: Update) -> Explanation:
    return to_the_gradient(update, "l1", SOURCES)


TOPIC = Topic(
    "l1", N_("the mean absolute error: how far off, whoever is far off"), example, of, loss_is("l1")
)
