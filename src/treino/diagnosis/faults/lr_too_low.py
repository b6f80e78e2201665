"""Steps that move nothing."""

from collections.abc import Iterable

from treino.diagnosis.faults.course import optimizers, training
from treino.diagnosis.faults.lr_too_high import by_hand, place
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.studies import studied
from treino.diagnosis.record.log import Log
from treino.diagnosis.rules.lr_too_low import RULE as WORDS

LEAST = 20  # steps
STILL = 0.05  # of their size, that weights moved in all: 0.036 by such a rate, 0.12 at least in right ones
TYPICAL = 1e-4  # of their size, that they move in a step: 4e-6 by such a rate, 0.003 at least in right ones
STUCK = 0.7  # of a constant's loss
SAME = 0.8  # of the first loss: 0.86 at least by such a rate, 0.55 at most in right scripts


def decide(log: Log) -> Iterable[Evidence]:
    """After all steps the weights are where they began, and the loss is nearly what it was."""
    loss = training(log)
    if loss is None or studied(log, "lr"):
        return
    for o in optimizers(log):
        if o.optimizer not in loss.optimizers or o.steps < LEAST or not o.ratios:
            continue
        still = 0 < o.movement < STILL and 0 < o.typical < TYPICAL
        if still and loss.stuck(STUCK) and loss.last() > SAME * loss.first():
            numbers = {"lr": o.lr, "movement": o.movement, "steps": o.steps, "loss": loss.last()}
            yield Evidence(loss.site, numbers, at=o.site, sites=by_hand(o))
            return


RULE = Rule(WORDS, decide, place)
