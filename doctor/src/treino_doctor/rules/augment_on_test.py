"""Random changes to the rows of an evaluation."""

from treino_doctor.base.words import _
from treino_doctor.cells import line_name
from treino_doctor.rules.rule import SPLIT, Evidence, Faults, Log, Rule, script
from treino_doctor.rules.shares import evaluations

LEAST = 2  # evaluations that differ from the previous one
FEW = 0.05  # maximum share of rows trained on before


def decide(log: Log) -> Faults:
    """Evaluations have the same labels but different rows each time, not made by nets, and never the same."""
    for e, t in evaluations(log):
        first = e.part == 0 and not (e.numbers and not e.by_number)  # the part of a split that trains
        untold = len(e.labels) == 1 or not (e.labels or e.changed)
        if t.made or e.made or e.copied or e.clean or first or untold:
            continue
        if e.stable or 2 * e.by_number > e.numbers > 0 or e.trained > FEW * e.rows or not e.scored:
            continue
        passes = 0 < e.numbers < e.rows  # several passes over the same rows in one look: their mean counts
        drawn = e.drawn is not None or e.draws
        alike = drawn and len(e.looks) == 1 and not passes and (not t.again or (e.draws and t.rows > t.seen))
        if e.changed < LEAST and not alike and not (drawn and e.changed):
            continue
        what = _("they were different in each of {evaluations} evaluations, under the same labels")
        if e.changed < LEAST:
            what = _("their loader draws random numbers for each batch, as that of training does")
        if e.changed < LEAST and e.drawn is not None:
            what = _("{drawn} draws numbers for them, as for those of training")
        drawn_at = line_name(e.drawn.file, e.drawn.line) if e.drawn is not None else ""
        what = what.format(evaluations=len(e.looks), drawn=drawn_at)
        numbers = {"evaluations": len(e.looks), "changed": e.changed, "what": what, "drawn": 0}
        yield Evidence(e.site, numbers, at=e.loader, stack=e.stack, sites={"loader": e.loader})
        return


RULE = Rule(
    group="data",
    certain=False,
    unless=("test_in_train", "label_misaligned"),  # folds may have the same labels in the same order
    message="The evaluation rows are changed at random: {what}.",
    why="""Random augmentation makes evaluation harder than the real rows are, and different each time.
    Figures of two epochs can't be compared.""",
    fix="Give the evaluation set its own transform without random parts (resize, centre crop, normalise).",
    safety="Safe: evaluation then gives the same figure each time.",
    limits="""Two evaluations with the same labels are needed. A test set that draws its pairs anew each time
    looks the same, although it is right.""",
    wrong="""\
def augment(rows):
    return rows + 0.5 * torch.randn_like(rows)


"""
    + SPLIT
    + script(loss="F.cross_entropy(net(augment(x_train)), y_train)")
    + """\
    with torch.no_grad():
        accuracy = (net(augment(x_test)).argmax(1) == y_test).float().mean()
""",
    mend={"net(augment(x_test))": "net(x_test)"},
)
