"""A scaler that was fitted on evaluation rows."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated, RowsFitted
from treino.diagnosis.rules.scaler_leakage import RULE as WORDS
from treino.diagnosis.where.edit import maker
from treino.diagnosis.where.kinds import scales

ALL = 0.98  # of the rows
LEAST = 10  # rows of an evaluation


def decide(log: Log) -> Iterable[Evidence]:
    """What training's and an evaluation's rows became came from one fit on all of them."""
    held_out = [e for e in log.of(RowsEvaluated) if e.rows >= LEAST and 2 * e.trained < e.rows and not e.made]
    for f in log.of(RowsFitted):
        same = [g for g in log.of(RowsFitted) if (g.site, g.kind, g.net) == (f.site, f.kind, f.net)]
        covered = {(g.at, g.stack) for g in same if g.evaluated >= ALL}
        if any(e.learner == f.net and (e.site, e.stack) not in covered for e in held_out):
            continue  # it was fitted on a training part, of which these rows are a further part
        if f.evaluated >= ALL and f.trained >= ALL and f.rows >= LEAST and f.fitted > f.rows:
            numbers = {"rows": f.rows, "fitted": f.fitted, "kind": f.kind}
            yield Evidence(f.at, numbers, at=f.site, stack=f.stack, sites={"loader": f.loader})
            return


def place(evidence: Evidence) -> Site | None:
    """The fit; or the nearest line that scales, of those that made the rows."""
    return evidence.at or maker(evidence.seen, scales, evidence.sites["loader"], evidence.stack)


RULE = Rule(WORDS, decide, place)
