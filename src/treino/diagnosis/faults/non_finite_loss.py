"""A loss that is NaN or infinite."""

import math
from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.studies import studied
from treino.diagnosis.record.learning import NonFinite
from treino.diagnosis.record.log import Course, Log, OptimizerEnded
from treino.diagnosis.rules.non_finite_loss import RULE as WORDS
from treino.words import _


def decide(log: Log) -> Iterable[Evidence]:
    """A value that was not finite was run backward, steps followed, and it never was finite again (a scaler
    that skips such steps is right).
    """
    courses = {c.site: c.values for c in log.of(Course)}
    steps = sum(e.steps for e in log.of(OptimizerEnded))
    for event in log.of(NonFinite):
        values = courses.get(event.site, ())
        first = next((i for i, v in enumerate(values) if not math.isfinite(v)), None)
        # While it runs there is no course yet: the first such value alone says nothing.
        if first is None or any(math.isfinite(v) for v in values[first:]):
            continue
        if not event.operation and studied(log, "lr"):
            continue  # a rate that blows up is an answer, too
        used = min(len(values) - first, steps - event.step)
        if used > 0:
            numbers = {"first": first + 1, "steps": used, "operation": event.operation or _("not known")}
            yield Evidence(event.site, numbers, at=event.at, stack=event.stack)
            return  # the others may follow from it


RULE = Rule(WORDS, decide)
