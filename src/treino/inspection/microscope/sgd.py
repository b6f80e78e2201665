"""Topic: gradient descent, which subtracts the learning rate times the gradient from the weight."""

from treino.base.words import N_, _
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import Explanation, Topic
from treino.inspection.microscope.neuron import checks, parts, walk
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import SGD, torch_page
from treino.inspection.microscope.run_explanation import optimizer_is, to_the_weight
from treino.inspection.microscope.update import Update

LR = 0.01
SOURCES = (SGD, torch_page("torch.optim.SGD"))


def move(w: float, g: float, curvature: float, state: dict[str, float], t: int) -> OptimizerResult:
    return optimizers.sgd(w, g, LR)


def example() -> Explanation:
    stops, code = walk(move), f"torch.optim.SGD([w], lr={LR})"
    return Explanation(
        "sgd",
        _("sgd: gradient descent"),
        _("f(a, b, c) of three weights: each goes a little way against its own slope."),
        parts(stops, code),
        checks(stops, code),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    return to_the_weight(update, "sgd", SOURCES)


TOPIC = Topic("sgd", N_("gradient descent: against the slope"), example, of, optimizer_is("sgd"))
