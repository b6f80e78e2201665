"""ReLU units that are zero for every row."""

from treino_doctor.base.words import _
from treino_doctor.record.outcomes import Rectified
from treino_doctor.rules.course import training
from treino_doctor.rules.rule import DEEP, NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 3  # minimum number of calls
DEAD = 0.9  # share of a layer's units, in each of the newest calls
STUCK = 0.9  # times the loss of a constant prediction
LEARNED = 0.1  # times the first loss: below this the net learns. All thresholds are chosen, not measured


def decide(log: Log) -> Faults:
    """At least 90 % of a ReLU layer's units were zero for every row of the newest calls; and the loss is no
    better than a constant prediction's, or the layer's output is the same for every row and the loss is
    still above a tenth of the first."""
    loss = training(log)
    if loss is None:
        return
    for r in sorted(log.of(Rectified), key=lambda r: -min(r.dead, default=0) / max(1, r.units)):
        dead = min(r.dead[-8:], default=0)
        silent = loss.stuck(STUCK) or (r.constant and loss.last() > LEARNED * loss.first())
        if len(r.dead) >= LEAST and dead >= DEAD * r.units and silent:
            what = _("{dead} of {units} units of a ReLU layer are zero for every row")
            text = what.format(dead=dead, units=r.units)
            yield Evidence(r.site, {"what": text, "dead": dead, "loss": loss.last()}, at=r.below or r.made_at)
            return


RULE = Rule(
    group="settings",
    certain=False,
    unless=(
        *NEVER_LEARNS,
        "symmetric_init",
        "unscaled_inputs",
        "unshuffled_sorted",
        "lr_too_high",
        "label_misaligned",
        "weight_decay_too_high",
        "non_finite_loss",
    ),
    message="Zero where it should not be: {what}; the loss ends at {loss}.",
    why="""Where its input is below zero for all rows a ReLU passes neither values nor gradients, so that the
    unit can't recover.""",
    fix="Lower lr, start biases at zero, or use LeakyReLU or GELU.",
    safety="Another start, rate or activation is a new training.",
    limits="""Units are looked at in the steps that are recorded. Told only if the loss is no better than that
    of a constant answer.""",
    wrong=script(f"{DEEP}\nnn.init.constant_(net[0].bias, -50.0)", steps=40),
    mend={"nn.init.constant_(net[0].bias, -50.0)\n": ""},
)
