"""Topic: Adam, formula by formula, and the course's version of it on the same numbers."""

from treino.inspection.microscope import course_adam, neuron_training, optimizers
from treino.inspection.microscope.course_adam import BETAS, EPS, LR, SQUARED, Course
from treino.inspection.microscope.explanation import Explanation, ExplanationPart, Step, Topic
from treino.inspection.microscope.optimizer_walkthrough import optimizer_step
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.references import ADAM, torch_page
from treino.inspection.microscope.run_explanation import to_the_weight
from treino.inspection.microscope.topic_conditions import optimizer_is
from treino.inspection.microscope.update import Update
from treino.words import N_, _

SOURCES = (ADAM, torch_page("torch.optim.Adam"))


def move(w: float, g: float, curvature: float, state: dict[str, float], t: int) -> OptimizerResult:
    m, v = state.get("exp_avg", 0.0), state.get("exp_avg_sq", 0.0)
    return optimizers.adam(w, g, m, v, t, LR, BETAS, EPS)


def example() -> Explanation:
    stops = neuron_training.walk(move)
    code = f"torch.optim.Adam([w], lr={LR}, betas={BETAS}, eps={EPS})"
    start = stops[0].neuron
    printed = course_adam.move(start.weights[0], start.gradient[0], start.curvature[0], 0.0, 0.0, 1, Course())
    known = course_adam.move(start.weights[0], start.gradient[0], 0.0, 0.0, 0.0, 1, SQUARED)
    again = course_adam.move(
        known.weight, stops[1].neuron.gradient[0], 0.0, known.state["V"], known.state["S"], 2,
        SQUARED,
    )  # fmt: skip
    return Explanation(
        "adam",
        _("adam: steps of the gradient's mean over the root of its mean square"),
        _("Right, then as the course prints it, on the same numbers, and what that does to training."),
        (
            *neuron_training.parts(stops, code),
            ExplanationPart(_("As the course prints it: update 1"), (slips(), *printed.steps)),
            ExplanationPart(_("With the square for the second derivative: update 1"), known.steps),
            ExplanationPart(_("With the square for the second derivative: update 2"), again.steps),
            course_adam.training_part(),
        ),
        neuron_training.checks(stops, code),
        SOURCES,
    )


def slips() -> Step:
    text = _(
        "Three slips. V is built from S: a mean of squares, soon positive whichever way the slope points, so "
        "the weight goes down where it should go up. Both are divided inside the recursion, so the "
        "correction is made again at every update, and S grows without end. And ∂f/∂a² is called the second "
        "derivative; Adam squares the first: (∂f/∂a)²."
    )
    return Step(_("What is wrong with it"), text=text)


def of(update: Update) -> Explanation:
    step = optimizer_step(update)
    state = {k: float(t[update.at]) for k, t in update.state.get(update.parameter, {}).items()}
    hp, g = update.hp, step.gradient
    if hp["weight_decay"]:
        g += hp["weight_decay"] * update.weight
    printed = course_adam.move(
        update.weight, g, 0.0, 0.0, state.get("exp_avg_sq", 0.0), update.t, SQUARED,
        hp["lr"], (hp["beta1"], hp["beta2"]), hp["eps"],
    )  # fmt: skip
    course = ExplanationPart(
        _("As the course prints it, on the same numbers, its S the v above"), (slips(), *printed.steps)
    )
    return to_the_weight(update, "adam", SOURCES, step, course, course_adam.training_part())


TOPIC = Topic(
    "adam",
    N_("running means of slope and square; and the course's three slips"),
    example,
    of,
    optimizer_is("adam"),
)
