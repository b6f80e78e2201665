"""Copies of rows on both sides of a split."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.overlap import overlaps
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows of an evaluation that calls itself a test had been trained on; the table holds copies, more
    than chance allows.
    """
    for o in overlaps(seen):
        if o.copies:
            yield o.evidence()
            return


RULE = Rule(
    id="duplicate_leakage",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    message=N_(
        "{trained} of {rows} evaluation rows were trained on before they were evaluated (the table holds "
        "copies)."
    ),
    why=N_(
        "The same row lies on both sides of the split, so that the net is asked what it was told. "
        "Oversampling or joining tables before splitting does this; the figure is too good."
    ),
    fix=N_("Drop duplicates before splitting, and oversample the training part only."),
    wrong="""\
x, y = torch.cat([x, x[:120]]), torch.cat([y, y[:120]])
order = torch.randperm(360)
train, test = order[:270], order[270:]
x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
    cost=N_("hashes the rows that enter nets"),
)
