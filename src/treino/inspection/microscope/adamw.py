"""Topic: AdamW, compared with Adam with an L2 penalty."""

from dataclasses import replace

from treino.base.formula import Formula
from treino.base.words import N_, _
from treino.inspection.microscope import optimizers
from treino.inspection.microscope.explanation import (
    Check,
    Explanation,
    ExplanationPart,
    Step,
    StepTable,
    Topic,
)
from treino.inspection.microscope.neuron import checks, parts, walk
from treino.inspection.microscope.optimizers import OptimizerResult
from treino.inspection.microscope.reference import ADAMW, torch_page
from treino.inspection.microscope.run_explanation import (
    moving_checks,
    optimizer_step,
    own_optimizer,
    to_the_weight,
)
from treino.inspection.microscope.update import Update

LR, DECAY, BETAS, EPS = 0.1, 0.1, (0.9, 0.999), 1e-8
SETTINGS = {"lr": LR, "betas": BETAS, "eps": EPS}
SOURCES = (ADAMW, torch_page("torch.optim.AdamW"), torch_page("torch.optim.Adam"))


def _value(step: Step) -> float:
    assert isinstance(step.formula, Formula)
    return step.formula.value


def decoupled(w: float, g: float, state: dict[str, float], t: int) -> OptimizerResult:
    shrunk = optimizers.shrunk(w, LR, DECAY)
    moved = optimizers.update("adamw", _value(shrunk), g, state, SETTINGS, t, optimizers.SHRUNK)
    return replace(moved, steps=(shrunk, *moved.steps))


def penalised(w: float, g: float, state: dict[str, float], t: int) -> OptimizerResult:
    into = optimizers.penalised(w, g, DECAY)
    moved = optimizers.update("adam", w, _value(into), state, SETTINGS, t, optimizers.PENALISED)
    return replace(moved, steps=(into, *moved.steps))


def example() -> Explanation:
    mine, other = walk(decoupled), walk(penalised)
    settings = f"([w], lr={LR}, betas={BETAS}, eps={EPS}, weight_decay={DECAY})"
    code, l2 = f"torch.optim.AdamW{settings}", f"torch.optim.Adam{settings}"
    rows = tuple(
        (stop.t - 1, stop.neuron.weights[0], beside.neuron.weights[0])
        for stop, beside in zip(mine, other, strict=True)
    )
    text = _(
        "Adam divides by the size of the gradient, and the penalty with it: a weight with large gradients "
        "hardly decays. AdamW shrinks all weights alike."
    )
    table = StepTable((_("after update"), _("a, AdamW"), _("a, Adam with L2")), rows)
    return Explanation(
        "adamw",
        _("adamw: weight decay beside the gradient, not in it"),
        _("The same neuron with decay 0.1 twice: decoupled (AdamW), and as a penalty in the gradient (L2)."),
        (
            *parts(mine, code),
            ExplanationPart(_("Adam with L2: update 1"), other[0].steps),
            ExplanationPart(
                _("Side by side"), (Step(_("The same weight, two decays"), text=text, table=table),)
            ),
        ),
        (*checks(mine, code), *checks(other, l2)[2:]),
        SOURCES,
    )


def of(update: Update) -> Explanation:
    l2 = replace(update, optimizer="adam", after=None)
    beside = optimizer_step(l2)
    text = _(
        "The same gradient, state and decay {decay:g}; here λ times the weight goes through Adam."
    ).format(decay=update.hp["weight_decay"])
    part = ExplanationPart(
        _("Beside it: Adam with the same decay as an L2 penalty"),
        (Step(_("What would differ"), text=text), *beside.part.steps),
    )
    explanation = to_the_weight(update, "adamw", SOURCES, None, part)
    more: tuple[Check, ...] = moving_checks(l2, beside)
    return replace(explanation, checks=(*explanation.checks, *more))


TOPIC = Topic(
    "adamw", N_("weight decay beside Adam's gradient, against L2 in it"), example, of, own_optimizer
)
