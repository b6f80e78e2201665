"""Topic: Huber's loss, quadratic for small errors and linear for large errors."""

from treino.base.words import N_, _
from treino.inspection.microscope import outlier
from treino.inspection.microscope.explanation import Explanation, Topic
from treino.inspection.microscope.reference import HUBER, torch_page
from treino.inspection.microscope.run_explanation import loss_is, to_the_gradient
from treino.inspection.microscope.update import Update

SOURCES = (HUBER, torch_page("torch.nn.HuberLoss"))


def example() -> Explanation:
    about = _("Half the square of an error up to 1, a line beyond: mse near the mark, l1 far from it.")
    return outlier.example("huber", _("huber: a square that becomes a line"), about, SOURCES)


def of(update: Update) -> Explanation:
    return to_the_gradient(update, "huber", SOURCES)


TOPIC = Topic("huber", N_("a square for small errors, a line for large ones"), example, of, loss_is("huber"))
