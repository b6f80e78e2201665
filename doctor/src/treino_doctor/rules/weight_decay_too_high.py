"""A weight decay that outweighs the loss."""

from treino_doctor.places.settings import setting
from treino_doctor.rules.course import Steps, Training, optimizers
from treino_doctor.rules.rule import DEEP, NEVER_LEARNS, Evidence, Faults, Log, Rule, script

LEAST = 12  # minimum number of steps
PULL = 0.5  # ratio of decay to gradient in the median step: 0.84 to 20 if decay outweighs the loss
SHRUNK = 0.75  # times the first weights' size: 0.001 to 0.4 with such a decay, 1.0 or more in correct scripts
STUCK = 0.5  # times the loss of a constant prediction: 0.7 and more with such a decay


def decide(log: Log) -> Faults:
    """The decay is over half as strong as the gradient, the weights shrink, and the loss ends no better than
    a constant's."""
    for loss, o in optimizers(log, "weight_decay", LEAST):
        if held_down(loss, o):
            numbers = {"weight_decay": o.weight_decay, "pull": o.pull, "shrunk": o.shrunk}
            yield Evidence(loss.site, numbers | {"loss": loss.last()}, at=o.made.site)
            return


def held_down(loss: Training, o: Steps) -> bool:
    """Whether the decay explains the loss."""
    return o.weight_decay > 0 and o.pull > PULL and o.shrunk < SHRUNK and loss.stuck(STUCK)


RULE = Rule(
    group="settings",
    certain=False,
    unless=(*NEVER_LEARNS, "lr_too_high", "params_not_in_optimizer"),
    # the line that sets the decay
    place=lambda e: setting(e.at, "weight_decay", None, e.numbers["weight_decay"]) or e.seen,
    message="""weight_decay {weight_decay} shrank the weights to {shrunk} times their size; the loss ends at
    {loss}.""",
    why="""Each step pulls all weights to zero more strongly than the loss pulls them anywhere. With weights
    near zero the net says the same for every row.""",
    fix="Use 1e-4 to 1e-2 (none for biases and norms), or 0 until the net can fit the training rows.",
    safety="Weights grow again; a net may then overfit.",
    limits="A penalty that a program adds to the loss itself is not seen.",
    wrong=script(DEEP, settings="lr=0.1, weight_decay=2.0", steps=60),
    mend={"weight_decay=2.0": "weight_decay=1e-4"},
)
