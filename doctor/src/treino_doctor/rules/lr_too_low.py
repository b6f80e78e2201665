"""Steps that hardly move the weights."""

import math

from treino_doctor.rules.course import optimizers, studied, training
from treino_doctor.rules.lr_too_high import by_hand, place
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 20  # minimum number of steps
STILL = 0.05  # whole movement, times the weights' norm: 0.036 if faulty, 0.12 or more in correct scripts
TYPICAL = 1e-4  # typical step, times the weights' norm: 4e-6 if faulty, 0.003 or more in correct scripts
STUCK = 0.7  # times the loss of a constant prediction
SAME = 0.8  # times the first loss: at least 0.86 in faulty scripts, at most 0.55 in correct ones
LONG = 500  # steps of a run that is long enough to show the fault
MANY = 10_000  # steps to fall below SAME, extrapolated from a shorter run's pace. Both are chosen


def decide(log: Log) -> Faults:
    """After all steps the weights are where they began, and the loss is nearly unchanged; the run is long,
    or would go on like this for long at its pace: a few steps look the same with a suitable rate."""
    loss = training(log)
    if loss is None or studied(log, "lr"):
        return
    for o in optimizers(log):
        if o.made.optimizer not in loss.optimizers or o.end.steps < LEAST:
            continue
        still = 0 < o.end.movement < STILL and 0 < o.typical < TYPICAL
        ahead = (1 - SAME) * loss.first() / o.pace if o.pace > 0 else math.inf
        slow = o.end.steps >= LONG or ahead > MANY
        if still and slow and loss.stuck(STUCK) and loss.last() > SAME * loss.first():
            numbers = {"lr": o.lr, "movement": o.end.movement, "steps": o.end.steps, "loss": loss.last()}
            yield Evidence(loss.site, numbers, at=o.made.site, sites=by_hand(o))
            return


RULE = Rule(
    group="settings",
    certain=False,
    place=place,
    unless=(
        *NEVER_LEARNS,
        "vanishing_gradient",
        "symmetric_init",
        "clip_too_small",
        "weight_decay_too_high",
        "dead_relu",
        "softmax_before_cross_entropy",
        "sigmoid_before_bce_with_logits",
        "params_not_in_optimizer",
        "detached_graph",
    ),
    message="""With lr {lr} the weights moved by {movement} times their size in {steps} {steps:step|steps},
    and the loss is still {loss}.""",
    why="""The gradients are there, but the steps are so small that the net stays at its random start. More
    epochs would be needed by the hundred.""",
    fix="Multiply lr by 10 until the loss falls within the first epoch.",
    safety="A higher rate may be too high: multiply by ten at most at a time.",
    limits="""Told after 500 steps or more; after fewer only if ten thousand steps of this size would hardly
    lower the loss. A run that was merely cut short is not told.""",
    wrong=script(settings="lr=1e-6", steps=40),
    mend={"lr=1e-6": "lr=0.1"},
)
