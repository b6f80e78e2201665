"""Test rows that the net was trained on."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.overlap import both_phases, overlaps, shared_by_folds, shared_by_number
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows of an evaluation that calls itself a test had been trained on, more than chance allows."""
    for o in overlaps(seen):
        if not o.copies:
            yield o.evidence()
            return
    for o in both_phases(seen):
        yield o.evidence()
        return
    for o in (*shared_by_folds(seen), *shared_by_number(seen)):
        yield o.evidence()
        return


RULE = Rule(
    id="test_in_train",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
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
    cost=N_("hashes the rows that enter nets"),
)
