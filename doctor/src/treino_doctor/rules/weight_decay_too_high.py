"""A weight decay that outweighs the loss."""

from typing import Any

from treino_doctor.base.words import _
from treino_doctor.places.settings import setting
from treino_doctor.rules.course import Steps, Training, constant_of, optimizers, studied, training
from treino_doctor.rules.rule import DEEP, NEVER_LEARNS, Evidence, Faults, Log, Rule, Site, script

LEAST = 12  # minimum number of steps
PULL = 0.5  # ratio of decay to gradient in the median step: 0.84 to 20 if decay outweighs the loss
SHRUNK = 0.75  # times the first weights' size: 0.001 to 0.4 with such a decay, 1.0 or more in correct scripts
STUCK = 0.5  # times the loss of a constant prediction: 0.7 and more with such a decay
ADDED = 1.3  # times torch's loss, which the first loss run backward must exceed


def decide(log: Log) -> Faults:
    """The decay is over half as strong as the gradient, the weights shrink, and the loss ends no better than
    a constant's."""
    loss = training(log)
    if loss is None or studied(log, "weight_decay"):
        return
    for o in optimizers(log):
        if o.made.optimizer not in loss.optimizers or o.end.steps < LEAST:
            continue
        numbers: dict[str, Any] = {"shrunk": o.shrunk, "loss": loss.last()}
        if held_down(loss, o):
            numbers |= {"weight_decay": o.weight_decay, "pull": o.pull}
            yield Evidence(loss.site, numbers, at=o.made.site)
            return
        if penalised(loss, o):
            yield Evidence(loss.site, numbers | {"weight_decay": _("by a penalty"), "pull": 0.0})
            return


def penalised(loss: Training, o: Steps) -> bool:
    """Whether a penalty in the loss acts as decay: weights shrink and torch's loss stays at a constant's."""
    own = [c.value for c in loss.calls if c.trained]
    known = o.weight_decay or loss.known or loss.moving
    if known or len(own) < LEAST or len({c.site for c in loss.calls}) > 1:
        return False
    newest = own[-max(1, len(own) // 4) :]
    constant = constant_of(list(loss.calls))
    added = loss.values[0] > ADDED * own[0]
    return added and o.shrunk < SHRUNK and sum(newest) / len(newest) > STUCK * constant > 0


def held_down(loss: Training, o: Steps) -> bool:
    """Whether the decay explains the loss."""
    return o.weight_decay > 0 and o.pull > PULL and o.shrunk < SHRUNK and loss.stuck(STUCK)


def place(evidence: Evidence) -> Site | None:
    """The line that sets the decay; the backward if a penalty was added to the loss."""
    return setting(evidence.at, "weight_decay", None, evidence.numbers["weight_decay"]) or evidence.seen


RULE = Rule(
    group="settings",
    certain=False,
    unless=(*NEVER_LEARNS, "lr_too_high", "params_not_in_optimizer"),
    message="""weight_decay {weight_decay} shrank the weights to {shrunk} times their size; the loss ends at
    {loss}.""",
    why="""Each step pulls all weights to zero more strongly than the loss pulls them anywhere. With weights
    near zero the net says the same for every row.""",
    fix="Use 1e-4 to 1e-2 (none for biases and norms), or 0 until the net can fit the training rows.",
    safety="Weights grow again; a net may then overfit.",
    limits="""Decay that a program adds to the loss itself is known only if the weights shrink and the loss
    stays at that of a constant answer.""",
    wrong=script(DEEP, settings="lr=0.1, weight_decay=2.0", steps=60),
    mend={"weight_decay=2.0": "weight_decay=1e-4"},
)
