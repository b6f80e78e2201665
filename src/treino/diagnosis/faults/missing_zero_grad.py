"""Steps that use the gradients of past steps again."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import BY_HAND, Backward, Log, OptimizerMade, Stepped
from treino.diagnosis.rules.missing_zero_grad import RULE as WORDS
from treino.diagnosis.where.updates import cleared_elsewhere

LEAST = 2  # steps; the first after a resumed training may be meant


def decide(log: Log) -> Iterable[Evidence]:
    """An optimizer stepped at least twice on gradients that were summed onto used ones."""
    kinds = {o.optimizer: o.kind for o in log.of(OptimizerMade)}
    for optimizer, kind in kinds.items():
        steps = [s for s in log.of(Stepped) if s.optimizer == optimizer]
        summed = [s for s in steps if s.summed]
        added = [b for b in log.of(Backward) if optimizer in b.summed]
        if len(summed) >= LEAST and added:
            numbers = {"optimizer": kind, "summed": len(summed), "steps": len(steps)}
            yield Evidence(summed[-1].site, numbers, at=added[-1].site, stack=added[-1].stack)


def place(evidence: Evidence) -> Site | None:
    """The line that clears gradients elsewhere; or the backward, or by hand the line of the update."""
    by_hand = evidence.numbers["optimizer"] == BY_HAND
    return cleared_elsewhere(evidence.at) or (evidence.seen if by_hand else evidence.at)


RULE = Rule(WORDS, decide, place)
