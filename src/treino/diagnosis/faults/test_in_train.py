"""Test rows that the net was trained on."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.shares import copies, shared
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained
from treino.diagnosis.rules.test_in_train import RULE as WORDS


def decide(log: Log) -> Iterable[Evidence]:
    """Rows of one part of a split were evaluated after a net had learned on them, which holds no copies."""
    trains = {t.net: t for t in log.of(RowsTrained)}
    for e in log.of(RowsEvaluated):
        t = trains.get(e.learner)
        if t is None:
            continue
        trained, rows = shared(e, t)
        if trained and not copies(e, t):
            numbers = {"rows": rows, "trained": trained}
            sites = {"loader": e.loader, "split": e.cut, "train": t.site, "train_loader": t.loader}
            yield Evidence(e.site, numbers, at=t.loader or t.site, stack=t.stack, sites=sites)
            return


RULE = Rule(WORDS, decide)
