"""Steps that move nothing."""

import math

from treino_doctor.rules.course import optimizers, studied, training
from treino_doctor.rules.lr_too_high import by_hand, place
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 20  # minimum number of steps
STILL = 0.05  # whole movement, times the weights' norm: 0.036 by such a rate, right scripts 0.12 or more
TYPICAL = 1e-4  # typical step, times the weights' norm: 4e-6 by such a rate, right scripts 0.003 or more
STUCK = 0.7  # times the loss of a constant prediction
SAME = 0.8  # times the first loss: 0.86 at least by such a rate, 0.55 at most in right scripts
LONG = 500  # steps of a run that is long enough to show it
MANY = (
    10_000  # steps to fall below that share of the first loss, at the pace of a shorter run. Both are chosen
)


def decide(log: Log) -> Faults:
    """After all steps the weights are where they began, and the loss is nearly unchanged; and these are many
    steps, or at this pace it would be so for long: few steps show nothing else with a rate that suits.
    """
    loss = training(log)
    if loss is None or studied(log, "lr"):
        return
    for o in optimizers(log):
        if o.optimizer not in loss.optimizers or o.steps < LEAST:
            continue
        still = 0 < o.movement < STILL and 0 < o.typical < TYPICAL
        ahead = (1 - SAME) * loss.first() / o.pace if o.pace > 0 else math.inf
        slow = o.steps >= LONG or ahead > MANY
        if still and slow and loss.stuck(STUCK) and loss.last() > SAME * loss.first():
            numbers = {"lr": o.lr, "movement": o.movement, "steps": o.steps, "loss": loss.last()}
            yield Evidence(loss.site, numbers, at=o.site, sites=by_hand(o))
            return


RULE = Rule(
    group="settings",
    certain=False,
    place=place,
    unless=(
        *NEVER_LEARNS,
        *("scheduler_misuse", "vanishing_gradient", "symmetric_init", "clip_too_small"),
        *("weight_decay_too_high", "dead_relu", "softmax_before_cross_entropy"),
        *("sigmoid_before_bce_with_logits", "softmax_wrong_dim", "params_not_in_optimizer", "detached_graph"),
    ),
    message=(
        "With lr {lr} the weights moved by {movement} of their size in {steps} steps, and the loss is still "
        "{loss}."
    ),
    why=(
        "The gradients are there, but the steps are so small that the net stays at its random start. More "
        "epochs would be needed by the hundred."
    ),
    fix="Multiply lr by 10 until the loss falls within the first epoch.",
    safety="A higher rate may be too high: multiply by ten at most at a time.",
    limits=(
        "Told of 500 steps or more, and of fewer where the loss would hardly fall within ten thousand of "
        "this size; a run that was only cut short is not told."
    ),
    wrong=script(settings="lr=1e-6", steps=40),
    mend={"lr=1e-6": "lr=0.1"},
)
