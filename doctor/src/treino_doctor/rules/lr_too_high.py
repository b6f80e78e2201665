"""Steps as large as the weights themselves."""

from treino_doctor.base.words import _, numeral
from treino_doctor.places.settings import setting
from treino_doctor.places.updates import update_rate
from treino_doctor.record.log import BY_HAND
from treino_doctor.rules.course import Steps, Training, optimizers
from treino_doctor.rules.rule import DEEP, NEVER_LEARNS, Evidence, Faults, Log, Rule, Site, script
from treino_doctor.rules.weight_decay_too_high import held_down

LEAST = 12  # minimum number of steps
LARGE = 0.15  # largest step, times the weights: 2.6 to 13 in faulty scripts, at most 0.11 in correct ones
STUCK = 0.9  # times the loss of a constant prediction: 1.0 to 50 if faulty, at most 0.55 in correct scripts
ROSE = 1.5  # highest loss, times a constant prediction's and the first loss: 15 to 84 in faulty scripts
WHOLE, JUMPED = 1.0, 1.2  # the same for steps as large as the weights: 1.33 to 84
FELL = 0.1  # times the very first loss: a loss below that is on its way down, wherever a constant's is


def decide(log: Log) -> Faults:
    """A step moves the weights by 15 % or more; the loss rose, and ends no better than a constant's."""
    for loss, o in optimizers(log, "lr", LEAST):
        if too_large(loss, o) and not held_down(loss, o):  # weights that shrink have large steps
            known = loss.known and loss.whole
            beside = _("A constant gets {of}.") if known else _("It began at {of}.")
            beside = beside.format(of=numeral(loss.constant if known else loss.values[0]))
            numbers = {"lr": o.lr, "step": o.largest, "loss": loss.last(), "beside": beside}
            yield Evidence(loss.site, numbers, at=o.made.site, sites=by_hand(o))
            return


def too_large(loss: Training, o: Steps) -> bool:
    """Whether these steps explain the loss: it rose above a constant's, and above the first loss unless the
    steps stay that large."""
    if not o.largest >= LARGE:
        return False
    share = JUMPED if o.largest > WHOLE else ROSE
    high = loss.highest() > share * loss.floor if o.typical >= LARGE else loss.rose(share)
    return loss.exploded() or (loss.stuck(STUCK) and high and not loss.last() < FELL * loss.values[0])


def by_hand(o: Steps) -> dict[str, Site | None]:
    """The line that updates weights if no optimizer does."""
    return {"moved": o.made.site} if o.made.kind == BY_HAND else {}


RULE = Rule(
    group="settings",
    certain=False,
    unless=(
        *NEVER_LEARNS,
        "unshuffled_sorted",
        "unscaled_inputs",
        "params_not_in_optimizer",
        "nll_without_log_softmax",
        "symmetric_init",
    ),
    # the line that sets the learning rate
    place=lambda e: update_rate(e.at) if "moved" in e.sites else setting(e.at, "lr", 1, e.numbers["lr"]),
    message="""lr {lr} moves the weights by up to {step} times their size in one step; the loss ends at
    {loss}. {beside}""",
    why="""Each step jumps over what the last one reached, so that the loss climbs or swings instead of
    falling. Units may die on the way and never come back.""",
    fix="Divide lr by 10 until the loss falls steadily (1e-3 for Adam and 0.1 for SGD are usual starts).",
    safety="A lower rate needs more steps.",
    limits="Judged only by the loss of the training and by the size of its steps.",
    wrong=script(DEEP.replace("ReLU", "Tanh"), settings="lr=100.0", steps=40),
    mend={"lr=100.0": "lr=0.1"},
)
