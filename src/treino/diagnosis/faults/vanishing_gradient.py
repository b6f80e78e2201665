"""Gradients that die out on their way to the first layer."""

from collections.abc import Iterable

from treino.diagnosis.faults.course import training
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.learning import Depth
from treino.diagnosis.record.log import Log
from treino.diagnosis.rules.vanishing_gradient import RULE as WORDS
from treino.diagnosis.where.settings import word

SATURATING = ("Sigmoid", "Tanh", "sigmoid", "tanh")
LEAST = 8  # backwards
SLIVER = 1e-4  # of the last weight's gradient comes to the first, in seven of ten backwards and at the start
SQUASHED = 3e-3, 4  # the same behind so many saturating activations
STUCK = 0.8  # of a constant's loss
TINY = 0.3  # of the default spread: weights that were drawn too small


def decide(log: Log) -> Iterable[Evidence]:
    """The first weight's gradient is a sliver of the last one's from the start and all along, and the loss
    stays at chance.
    """
    loss, seen = training(log), log.of(Depth)
    if loss is None or len(seen) < LEAST:
        return
    ratios = sorted(d.ratio for d in seen)
    most = max(ratios[int(0.7 * len(ratios))], sorted(d.ratio for d in seen[:3])[1])
    last = seen[-1]
    squashed = last.saturating >= SQUASHED[1] and most < SQUASHED[0]
    if ratios[-1] > 0 and (most < SLIVER or squashed) and loss.stuck(STUCK):
        tiny = seen[0].spread < TINY
        numbers = {"ratio": ratios[len(ratios) // 2], "layers": last.layers, "saturating": last.saturating}
        at = seen[0].written_at if tiny else last.made_at or seen[0].written_at
        yield Evidence(loss.site, numbers, at=at)


def place(evidence: Evidence) -> Site | None:
    """Where the activation is chosen, or where the weights are drawn."""
    return word(evidence.at, *SATURATING)


RULE = Rule(WORDS, decide, place)
