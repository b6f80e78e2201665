"""Copies of rows on both sides of a split."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.copies import near_copies, noisy_join
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.diagnosis.rules.overlap import overlaps
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Rows of an evaluation that calls itself a test had been trained on; the table holds copies, more
    than chance allows. Or many of them lie far nearer to training rows than rows usually do, and the table
    was joined with noisy copies of its rows.
    """
    for o in overlaps(seen):
        if o.copies:
            yield o.evidence()
            return
    data: DataSeen | None = seen.data
    for key, e in data.evals.items() if data is not None else ():
        train = data.trains.get(key[0]) if data is not None else None
        if train is None or not e.names or len(e.trained_before) > 0.02 * len(e.rows):
            continue
        near, rows = near_copies(train, e)
        place = noisy_join(e) if near > max(5, 0.15 * rows) else None
        if place is not None:
            yield Evidence(place, e.names[0], {"rows": rows, "trained": near, "share": near / rows})
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
