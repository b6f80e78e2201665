"""Features that were prepared and that reach no network."""

from treino_doctor.record.log import Backward, Ended
from treino_doctor.record.row_log import FeaturesLost, RowsTrained
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Rule
from treino_doctor.words import N_, _

APART = 10.0  # ratio of columns' deviations: a scale matters
ITSELF = 0.1  # times the largest number: if less enters the first product, the net scales its inputs itself
LEFT_OUT = N_(
    "select_dtypes left out {columns} {columns:column|columns} of true and false that get_dummies had made"
)
UNSCALED = N_("{kind} scaled {rows} rows, and the network gets them as they were before")


def decide(log: Log) -> Faults:
    """The rows of all trainings are known, and none has these features, which nothing else that is known of
    used; a scale, if the columns need one and the net brings none of its own."""
    calls, trained = calls_by_number(log), {t.net: t for t in log.of(RowsTrained)}
    behind = [{calls[f].net if f in calls else -1 for f in b.forwards} for b in log.of(Backward)]
    known = all(nets and nets <= trained.keys() for nets in behind)
    if not known or not any(e.finished for e in log.of(Ended)):
        return
    uneven = [t for t in trained.values() if t.spread >= APART and t.entering >= ITSELF * t.largest]
    for lost in log.of(FeaturesLost):
        if not lost.kind or uneven:
            numbers = {"columns": lost.columns, "rows": lost.rows, "kind": lost.kind}
            what = _(UNSCALED if lost.kind else LEFT_OUT).format(**numbers)
            yield Evidence(lost.site, numbers | {"what": what})


RULE = Rule(
    group="data",
    message="What was prepared here reaches no network: {what}.",
    why="""The network learns without it. Since pandas 2.0 dummies are true or false, which select_dtypes
    does not count as numbers. A scaler returns new rows, and leaves those that it is given as they are.""",
    fix="""Make the dummies numbers (`get_dummies(..., dtype=float)`); make the tensors of what the scaler
    returned.""",
    safety="The weights of the first layer are other ones, and with scaled rows the best rate is, too.",
    limits="""Dummies are left alone where anything else takes them, as an array or one by one, or they tell
    the label; a scaled table where scikit-learn reads it or rows were left out, where columns differ little
    in size, or where the network scales its inputs itself. Columns that are scaled by hand are not
    followed, nor are columns that are overwritten.""",
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = x * torch.logspace(0, 3, 8)
scaler = StandardScaler().fit(x[:180].numpy())
scaled = torch.tensor(scaler.transform(x.numpy()))
"""
    + SPLIT
    + HELD_OUT,
    mend={"scaled = torch": "x = torch"},
)
