"""Random changes to the rows of an evaluation."""

from collections.abc import Iterable
from typing import Any

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained
from treino.diagnosis.rules.augment_on_test import RULE as WORDS
from treino.words import _

LEAST = 2  # evaluations that differ from the one before
FEW = 0.05  # of the rows had been trained on


def decide(log: Log) -> Iterable[Evidence]:
    """The same labels come with other rows at every evaluation; rows that other nets make, or that are
    clean elsewhere, are something else.
    """
    trains = {t.net: t for t in log.of(RowsTrained)}
    for e in log.of(RowsEvaluated):
        t = trains.get(e.learner)
        if t is None or t.made or e.made or e.copied or e.clean or e.part == 0 or len(e.labels) < 2:
            continue
        if e.stable or 2 * e.by_number > e.numbers > 0 or e.trained > FEW * e.rows or not e.scored:
            continue
        alike = e.drawn is not None and len(e.looks) == 1 and not t.again
        if e.changed < LEAST and not alike:
            continue
        what = _("they were different in each of {evaluations} evaluations, under the same labels")
        if e.changed < LEAST and e.drawn is not None:
            what = _("line {drawn} draws numbers for them, as for those of training")
            what = what.replace("{drawn}", str(e.drawn.line))
        numbers: dict[str, Any] = {"evaluations": len(e.looks), "changed": e.changed}
        numbers |= {"what": what.format(evaluations=len(e.looks)), "drawn": 0}
        yield Evidence(e.site, numbers, at=e.loader, stack=e.stack, sites={"loader": e.loader})
        return


RULE = Rule(WORDS, decide)
