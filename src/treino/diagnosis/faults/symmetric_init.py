"""Units that begin alike and stay alike."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.record.learning import AlikeRows
from treino.diagnosis.record.log import Log, ParameterSeen
from treino.diagnosis.rules.symmetric_init import RULE as WORDS
from treino.words import _

LEAST = 3  # backwards after the second step: rows of a zero last layer differ from the first step on


def decide(log: Log) -> Iterable[Evidence]:
    """All rows of a weight, or all columns, are one and the same after several steps."""
    alike = [a for a in log.of(AlikeRows) if a.looks >= LEAST]
    # A matrix of zeros may be held there by what comes after it: of all zeros, all must be.
    for a in sorted(alike, key=lambda a: a.zero):
        every = [p for p in log.of(ParameterSeen) if len(p.shape) > 1 and p.shape[0] > 1]
        if a.zero and len(alike) < len(every):
            continue
        numbers = {"units": a.shape[a.axis], "layer": a.layer, "when": _("also after several steps")}
        yield Evidence(a.filled_at, numbers)
        return


RULE = Rule(WORDS, decide)
