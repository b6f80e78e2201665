"""Sigmoid twice: once by hand, once inside binary_cross_entropy_with_logits."""

from collections.abc import Iterable

from treino.diagnosis.faults.graphs import by_line, made_by
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log, LossCall
from treino.diagnosis.rules.sigmoid_before_bce_with_logits import RULE as WORDS
from treino.diagnosis.where.edit import taken

LOSS = "binary_cross_entropy_with_logits"


def decide(log: Log) -> Iterable[Evidence]:
    """The input of binary_cross_entropy_with_logits comes straight from a sigmoid (or a softmax)."""
    looked_at = [c for c in log.of(LossCall) if c.name == LOSS and c.graph.root is not None]
    for calls in by_line(looked_at, lambda c: c.site).values():
        made = [m for c in calls if (m := made_by(c.graph, "sigmoid", "softmax")) is not None]
        if made:
            numbers = {"calls": len(made), "looked": len(calls)}
            yield Evidence(calls[-1].site, numbers, at=made[-1].written, stack=calls[-1].stack)


def place(evidence: Evidence) -> Site | None:
    """The line of the sigmoid, or where it was chosen."""
    return taken(evidence.at or evidence.seen, evidence.stack, "sigmoid", "softmax")


RULE = Rule(WORDS, decide, place)
