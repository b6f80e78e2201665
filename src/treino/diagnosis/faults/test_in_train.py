"""Test rows that the net was trained on."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.shares import copies, shared
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.words import N_


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


RULE = Rule(
    id="test_in_train",
    group="data",
    severity="wrong",
    certain=False,
    decide=decide,
    unless=("train_mode_never_restored",),  # what trains in eval mode looks like an evaluation
    message=N_("{trained} of {rows} evaluation rows were trained on before they were evaluated."),
    why=N_(
        "The net has seen the answers, so that the figure shows how well it remembers, not how well it "
        "does on new rows."
    ),
    fix=N_("Train on the training part only; make sure that the two parts share no row."),
    wrong="""\
x_train, y_train, x_test, y_test = x, y, x[180:], y[180:]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
)
