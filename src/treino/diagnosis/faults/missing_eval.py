"""Evaluation with dropout or batch norm in training mode."""

from collections.abc import Iterable

from treino.diagnosis.faults.judged import groups
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.record.log import Log
from treino.diagnosis.rules.missing_eval import RULE as WORDS


def decide(log: Log) -> Iterable[Evidence]:
    """Results of a trained net became figures, no backward came, and its dropout or batch norm was training.

    Targets (teachers, pseudo-labels) and repeated calls with the same rows (Monte Carlo) are none.
    """
    for group in groups(log):
        awake = [f for f in group.judged if f.active or f.dropping or f.norming]
        if awake and group.evaluates and not group.again:
            numbers = {"calls": len(awake), "layers": ", ".join(group.net.modal) or "F.dropout"}
            yield Evidence(group.site, numbers, at=group.site, stack=awake[0].stack)


RULE = Rule(WORDS, decide)
