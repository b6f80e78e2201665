"""A choice that was made on test figures: likely, by source."""

from collections.abc import Iterable
from typing import Any

from treino.diagnosis.faults.choices import TEST, TRAIN, VALIDATION, decides, said
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated
from treino.diagnosis.rules.selection_on_test import RULE as WORDS
from treino.words import _

LEAST = 10  # rows of an evaluation
LOOKS = 3  # at the same rows
LEARNED = 0.5  # of the rows, of an evaluation of training's


def decide(log: Log) -> Iterable[Evidence]:
    """The same new rows were looked at again and again, no further rows judge, and the source calls them a
    test and keeps the best by their figure.
    """
    every = [e for e in log.of(RowsEvaluated) if e.rows >= LEAST and not e.made]
    held_out = [e for e in every if e.trained <= LEARNED * e.rows]
    groups: dict[Any, list[RowsEvaluated]] = {}
    for e in held_out:
        groups.setdefault(e.digest, []).append(e)
    for digest, own in groups.items():
        looks = sum(len(e.looks) for e in own)
        if looks < LOOKS:
            continue
        chosen = next((e for e in own if _is_test(e) and any(map(decides, e.stack))), None)
        if chosen is None or any(_judges(o, chosen) for o in held_out if o.digest != digest):
            continue
        what = _("the same {rows} test rows").format(rows=chosen.rows)
        numbers = {"evaluations": looks, "what": what, "rows": chosen.rows}
        place = next((s for s in chosen.stack if decides(s)), None)
        yield Evidence(chosen.site, numbers, at=said(chosen.stack, TEST) or place, stack=chosen.stack)
        return


def _is_test(e: RowsEvaluated) -> bool:
    """Whether the source calls these rows a test, and nothing else."""
    return said(e.stack, TEST) is not None and said(e.stack, VALIDATION) is None


def _judges(other: RowsEvaluated, chosen: RowsEvaluated) -> bool:
    """Whether these are other rows that are looked at in the end, and not to choose by."""
    last = other.looks[-1] >= chosen.looks[-1]
    return last and said(other.stack, VALIDATION) is None and said(other.stack, TRAIN) is None


RULE = Rule(WORDS, decide)
