"""Rows whose labels belong to other rows."""

from collections.abc import Iterable

from treino.diagnosis.faults.course import training
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import Lonely, RowsTrained
from treino.words import N_, _, numeral

AGAIN, OTHER = 40, 0.25  # rows that came with a label once more, and which share with another one
STUCK = 0.85  # of a constant's loss
RELATED = 0.5  # correlation of columns, as of data that were measured rather than drawn
RARE = 0.01  # rows that are equal by chance


def decide(log: Log) -> Iterable[Evidence]:
    """The same rows come with other labels in later epochs; or rows or labels were put into another order
    alone; or rows of measured data tell nothing of their labels. In all cases nothing is learned.
    """
    course = training(log)
    stuck = course is not None and course.known and course.stuck(STUCK)
    if not stuck or course is None:
        return
    alone = log.of(Lonely)
    for t in log.of(RowsTrained):
        classes = 2 <= len(t.labels) <= 100
        if t.again >= AGAIN and t.other > OTHER * t.again and t.alike and classes and t.chance < RARE:
            what = _("{other} of {rows} rows came with another label later on")
            numbers = {"rows": t.again, "other": t.other, "what": what.format(rows=t.again, other=t.other)}
            yield Evidence(t.site, numbers, stack=t.stack, sites={"loader": t.loader})
            return
        if t.loose and (t.related > RELATED and not t.made) and not alone:
            what = _("neither the nearest row nor a linear fit tells the label, of {rows} rows")
            numbers = {"rows": t.loose, "other": 0, "what": what.format(rows=t.loose)}
            yield Evidence(t.site, numbers, stack=t.stack, sites={"loader": t.loader})
            return
    for one in alone:
        loss = numeral(course.last(), ".4g")
        what = _("nothing was learned that holds for new rows; the loss ends at {loss}")
        numbers = {"rows": one.rows, "other": 0, "loss": course.last(), "what": what.format(loss=loss)}
        yield Evidence(one.at, numbers, at=one.site)
        return


RULE = Rule(
    id="label_misaligned",
    group="data",
    severity="wrong",
    certain=False,
    decide=decide,
    unless=(
        *("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
        *("sigmoid_before_bce_with_logits", "softmax_before_cross_entropy", "softmax_wrong_dim"),
        *("symmetric_init", "params_not_in_optimizer"),
    ),
    message=N_("Rows and labels are in different orders: {what}."),
    why=N_(
        "One of the two was shuffled without the other, so that each row is taught another row's label. "
        "There is nothing to learn but the classes' shares."
    ),
    fix=N_("Index rows and labels with the same permutation (or keep them in one Dataset)."),
    wrong="""\
x = x[torch.randperm(240)]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
order = torch.randperm(240)
x, y = x[order], y[order]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
