"""A split by position of rows that are sorted by class."""

import math
from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import Parted, RowsEvaluated, RowsTrained
from treino.diagnosis.rules.sorted_split import RULE as WORDS
from treino.diagnosis.where.edit import maker
from treino.diagnosis.where.kinds import cuts
from treino.words import _

LEAST = 10  # rows of an evaluation
UNSEEN = 0.2  # of its rows, of classes that training never saw
SHIFT = 0.5  # half the sum of differences of classes' shares
WORSE = 0.75  # of training's share of right answers
LOST = 0.5  # ... where only the shares of classes differ
MANY = 50  # classes


def decide(log: Log) -> Iterable[Evidence]:
    """Classes, or a range of targets, in the evaluation rows that training never saw, and an evaluation that
    fails on them, or labels that stood class by class when they were cut.
    """
    trains = {t.net: t for t in log.of(RowsTrained)}
    every = {k for t in trains.values() for k in t.labels}
    cuts = log.of(Parted)
    for e in log.of(RowsEvaluated):
        t = trains.get(e.learner)
        if t is None or e.rows < LEAST or e.trained > 0.1 * e.rows or not t.labels or not e.labels:
            continue
        if len(e.labels) > MANY or len(t.labels) > MANY or e.looks[-1] <= t.first:
            continue
        unseen, moved = _apart(t.labels, e.labels)
        cut = _cut(cuts, e)
        unseen = unseen if not every >= set(e.labels) else 0.0
        right = e.right / e.judged if e.judged else math.nan
        learned = t.right / t.judged if t.judged >= 20 else math.nan
        fails = right < WORSE * learned or (math.isnan(learned) and right < 0.5)
        moved_and_lost = moved > SHIFT and (cut is not None or right < LOST * learned)
        if (unseen > UNSEEN and (fails or cut is not None)) or moved_and_lost:
            yield _evidence(e, max(unseen, moved), moved, learned, right, cut)
            return


def _apart(known: dict[str, int], others: dict[str, int]) -> tuple[float, float]:
    """(share of the others whose classes the one part has none of, how far the classes' shares differ)."""
    total, all_known = sum(others.values()), sum(known.values())
    unseen = sum(n for k, n in others.items() if k not in known) / total
    keys = known.keys() | others.keys()
    return unseen, sum(abs(known.get(k, 0) / all_known - others.get(k, 0) / total) for k in keys) / 2


def _cut(cuts: list[Parted], e: RowsEvaluated) -> Site | None:
    """The line that cut these labels where they stood class by class."""
    for c in cuts:
        if c.inside == e.labels or c.outside == e.labels:
            return c.site
        if sorted(c.inside.values()) == sorted(e.labels.values()) and len(c.inside) > 1:
            return c.site
    return None


def _evidence(
    e: RowsEvaluated, unseen: float, moved: float, learned: float, right: float, cut: Site | None
) -> Evidence:
    numbers = {
        "unseen": f"{unseen:.0%}",
        "shift": moved,
        "figure": _("accuracy"),
        "what": _("are of classes that training saw less or never"),
        "training": "–" if math.isnan(learned) else f"{learned:.0%}",
        "evaluation": "–" if math.isnan(right) else f"{right:.0%}",
    }
    return Evidence(e.site, numbers, at=cut or e.cut, stack=e.stack, sites={"loader": e.loader})


def place(evidence: Evidence) -> Site | None:
    """Where the rows were cut."""
    return evidence.at or maker(evidence.seen, cuts, evidence.sites["loader"], evidence.stack)


RULE = Rule(WORDS, decide, place)
