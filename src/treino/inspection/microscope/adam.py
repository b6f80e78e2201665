"""Topic: Adam, formula by formula."""

from treino.base.words import N_, _
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import Explanation, Topic
from treino.inspection.microscope.neuron import checks, parts, walk
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import ADAM, torch_page
from treino.inspection.microscope.run_explanation import optimizer_is, to_the_weight
from treino.inspection.microscope.update import Update

LR, BETAS, EPS = 0.02, (0.9, 0.999), 1e-8
SOURCES = (ADAM, torch_page("torch.optim.Adam"))


def move(w: float, g: float, curvature: float, state: dict[str, float], t: int) -> OptimizerResult:
    m, v = state.get("exp_avg", 0.0), state.get("exp_avg_sq", 0.0)
    return optimizers.adam(w, g, m, v, t, LR, BETAS, EPS)


def example() -> Explanation:
    stops = walk(move)
    code = f"torch.optim.Adam([w], lr={LR}, betas={BETAS}, eps={EPS})"
    return Explanation(
        "adam",
        _("adam: steps of the gradient's mean over the root of its mean square"),
        _("Two means that forget, corrected because they begin at 0, and the step that they make."),
        parts(stops, code),
        checks(stops, code),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    return to_the_weight(update, "adam", SOURCES)


TOPIC = Topic(
    "adam",
    N_("running means of slope and square"),
    example,
    of,
    optimizer_is("adam"),
)
