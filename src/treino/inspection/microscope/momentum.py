"""Topic: momentum, a decaying sum of earlier gradients."""

from treino.base.words import N_, _
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import Explanation, Topic
from treino.inspection.microscope.neuron import checks, parts, walk
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import MOMENTUM, torch_page
from treino.inspection.microscope.run_explanation import optimizer_is, to_the_weight
from treino.inspection.microscope.update import Update

LR, MU = 0.01, 0.9
SOURCES = (MOMENTUM, torch_page("torch.optim.SGD"))


def move(w: float, g: float, curvature: float, state: dict[str, float], t: int) -> OptimizerResult:
    return optimizers.momentum(w, g, state.get("momentum_buffer", 0.0), LR, MU)


def example() -> Explanation:
    stops, code = walk(move), f"torch.optim.SGD([w], lr={LR}, momentum={MU})"
    return Explanation(
        "momentum",
        _("momentum: gradient descent with a velocity"),
        _("The velocity keeps nine tenths of itself at each update and takes the new gradient on."),
        parts(stops, code),
        checks(stops, code),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    return to_the_weight(update, "momentum", SOURCES)


TOPIC = Topic("momentum", N_("a velocity that remembers gradients"), example, of, optimizer_is("momentum"))
