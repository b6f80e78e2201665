"""Copies of rows on both sides of a split."""

from treino_doctor.places.placement import maker, multiplies
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Rule, Site
from treino_doctor.rules.shares import copies, evaluations, lines_of, shared


def decide(log: Log) -> Faults:
    """Rows of an evaluation had been trained on, and the table holds more copies than by chance."""
    for e, t in evaluations(log):
        trained, rows = shared(e, t)
        if trained and copies(e, t):
            numbers = {"rows": rows, "trained": trained, "share": trained / rows}
            yield Evidence(e.site, numbers, at=e.cut, stack=e.stack, sites=lines_of(e, t))
            return


def place(evidence: Evidence) -> Site | None:
    """The line that multiplied rows, if in the same function as the split; else the split."""
    split = evidence.sites["split"]
    made = maker(evidence.seen, multiplies, evidence.sites["loader"], evidence.stack)
    beside = made is not None and (split is None or made.function == split.function)
    return made if beside else split


COPIED = """\
x, y = torch.cat([x, x[:120]]), torch.cat([y, y[:120]])
order = torch.randperm(360)
train, test = order[:270], order[270:]
x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
"""

RULE = Rule(
    group="data",
    certain=False,
    unless=("test_in_train",),
    message="""{trained} of {rows} evaluation rows were trained on before they were evaluated (the table holds
    copies).""",
    why="""The same row lies on both sides of the split, so that the net is asked what it was told.
    Oversampling or joining tables before splitting does this; the figure is too good.""",
    fix="Drop duplicates before splitting, and oversample the training part only.",
    safety="Safe: the figure falls to what it is.",
    limits="""Copies are found by hashes of rows. Not seen: rows that are nearly equal, windows of one series
    that overlap, copies in a list of pairs, changed copies of pictures, and rows of words or codes that are
    drawn again.""",
    wrong=COPIED + HELD_OUT,
    mend={COPIED: SPLIT},
)
