"""Copies of rows on both sides of a split."""

from treino_doctor.base.words import N_, _
from treino_doctor.places.placement import maker, multiplies
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Rule, Site
from treino_doctor.rules.shares import TELLING, copies, evaluations, lines_of, shared

TRAINED = N_("were trained on before they were evaluated (the table holds copies)")
NEAR = N_("are nearly one with training rows (the table holds copies)")
WINDOWS = N_("hold at least half of a training row: windows of one series, which overlap")
SHARE = {"near": 0.3, "windows": 0.8}  # share of the compared rows


def decide(log: Log) -> Faults:
    """Rows of an evaluation had been trained on, and the table holds more copies than by chance; or many
    are much nearer to training rows than rows usually are, or are windows that overlap training's."""
    for e, t in evaluations(log):
        (trained, rows), what = shared(e, t), TRAINED
        if not (trained and copies(e, t)):
            few = not e.mixed and e.trained < e.rows and e.shuffled and e.part > 0 and not t.made
            measured = e.measure == "windows" or t.telling >= TELLING  # words and pixels are near by chance
            if not few or not measured or e.near <= SHARE.get(e.measure, 1.0) * e.near_of:
                continue
            trained, rows, what = e.near, e.near_of, NEAR if e.measure == "near" else WINDOWS
        numbers = {"rows": rows, "trained": trained, "share": trained / rows, "what": _(what)}
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
    message="{trained} of {rows} evaluation rows {what}.",
    why="""The same row lies on both sides of the split, so that the net is asked what it was told.
    Oversampling or joining tables before splitting does this, and so does a random split of rows that belong
    together; the figure is too good.""",
    fix="""Drop duplicates before splitting, and oversample the training part only; split what belongs
    together by its group, and a series by its time.""",
    safety="Splitting by groups leaves fewer or other rows for the test: the figure falls to what it is.",
    limits="""Copies are found by hashes of rows, near ones by distances among a sample. Not seen: copies in a
    list of pairs, changed copies of pictures, and rows of words or codes that are drawn again.""",
    wrong=COPIED + HELD_OUT,
    mend={COPIED: SPLIT},
)
