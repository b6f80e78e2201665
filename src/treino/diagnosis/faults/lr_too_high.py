"""Steps as large as the weights themselves."""

from collections.abc import Iterable

from treino.diagnosis.faults.course import Steps, Training, optimizers, training
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.studies import studied
from treino.diagnosis.faults.weight_decay_too_high import held_down
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import BY_HAND, Log
from treino.diagnosis.rules.lr_too_high import RULE as WORDS
from treino.diagnosis.where.settings import setting
from treino.diagnosis.where.updates import update_rate

LEAST = 12  # steps
LARGE = 0.15  # of the weights, in the largest step: 2.6 to 13 by such rates, 0.11 at most in right scripts
STUCK = 0.9  # of a constant's loss: 1.0 to 50 by such rates, 0.55 at most in right scripts
ROSE = 1.5  # times a constant's loss, at the highest: 15 to 84 by such rates
WHOLE, JUMPED = 1.0, 1.2  # the same where a step is as large as the weights: 1.33 to 84


def decide(log: Log) -> Iterable[Evidence]:
    """A step moves the weights by a tenth of their size or more, and the loss ends no better than a constant,
    after it rose above it.
    """
    loss = training(log)
    if loss is None or studied(log, "lr"):
        return
    for o in optimizers(log):
        own = o.optimizer in loss.optimizers and o.steps >= LEAST and o.ratios
        if own and too_large(loss, o) and not held_down(loss, o):  # of weights that shrink, a step is large
            numbers = {"lr": o.lr, "step": o.largest, "loss": loss.last(), "constant": loss.floor}
            yield Evidence(loss.site, numbers, at=o.site, sites=by_hand(o))
            return


def too_large(loss: Training, o: Steps) -> bool:
    """Whether these steps are why the loss is where it is."""
    if o.largest < LARGE:
        return False
    rose = JUMPED if o.largest > WHOLE else ROSE
    return loss.exploded() or (loss.stuck(STUCK) and loss.highest() > rose * loss.floor)


def by_hand(o: Steps) -> dict[str, Site | None]:
    """The line that moves weights where no optimizer does."""
    return {"moved": o.site} if o.kind == BY_HAND else {}


def place(evidence: Evidence) -> Site | None:
    """Where the rate is written."""
    if "moved" in evidence.sites:
        return update_rate(evidence.at)
    return setting(evidence.at, "lr", 1, evidence.numbers["lr"])


RULE = Rule(WORDS, decide, place)
