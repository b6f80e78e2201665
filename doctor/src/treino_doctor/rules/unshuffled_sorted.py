"""Training rows sorted by class, read in order."""

from collections import Counter

from treino_doctor.places.placement import batches
from treino_doctor.record.log import Forward, LossCall
from treino_doctor.record.row_log import RowsEvaluated, RowsTrained
from treino_doctor.rules.course import training
from treino_doctor.rules.rule import NEVER_LEARNS, Evidence, Faults, Log, Rule, by_line

LEAST = 8  # minimum number of batches
SHARE = 0.8  # mean share of a batch's most common class
BLOCKS = 3  # minimum number of changes of class
ROWS, LONG = 4, 1.5  # median rows of a batch, and mean batches of a block; not measured
JUMP, OFTEN = 0.02, 0.5  # mean rise of the loss, and share of class changes with a rise; not measured
PURE, STUCK = 0.9, 0.6  # stricter SHARE, times a constant's loss: iris, four batches an epoch, first fifty


def decide(log: Log) -> Faults:
    """Batches of mostly one class come in blocks, though there are several classes; and the loss jumps when
    the class changes, or nothing is learned that could be lost."""
    course = training(log)
    looked_at = [c for c in log.of(LossCall) if c.trained and c.labels]
    for every in by_line(looked_at, lambda c: c.site).values():
        turns = Counter(c.turn for c in every)
        calls = [c for c in every if turns[c.turn] == 1]  # several calls in one backward are one batch
        rows = [sum(c.labels.values()) for c in calls]
        if len(calls) < LEAST or sorted(rows)[len(rows) // 2] < ROWS:
            continue
        share = sum(max(c.labels.values()) / n for c, n in zip(calls, rows, strict=True)) / len(calls)
        if share < SHARE or len({k for c in calls for k in c.labels}) < 2:
            continue
        main = [max(c.labels, key=lambda k: c.labels[k]) for c in calls]
        starts = [i for i, label in enumerate(main) if not i or label != main[i - 1]]
        # A batch that still has rows of the old class shows the change less than the next batch.
        jumps = [max(c.value for c in calls[i : i + 2]) - calls[i - 1].value for i in starts[1:]]
        ordered = in_turn([main[i] for i in starts])
        if len(jumps) < BLOCKS or (len(calls) < LONG * len(starts) and not ordered):
            continue
        jump = sum(jumps) / len(jumps)
        stuck = ordered and share >= PURE and course is not None and course.known and course.stuck(STUCK)
        if stuck or (jump > JUMP and sum(j > 0 for j in jumps) > OFTEN * len(jumps)):
            numbers = {"share": share, "classes": len(set(main)), "jump": jump}
            nets = {f.net for f in log.of(Forward) if f.forward in calls[-1].forwards}
            judged = {e.loader for e in log.of(RowsEvaluated) if not e.trained}
            loaders = (t.loader for t in log.of(RowsTrained) if t.net in nets and t.loader not in judged)
            sites = {"loader": next(loaders, None)}
            yield Evidence(calls[-1].site, numbers, stack=calls[-1].stack, sites=sites)
            return


def in_turn(order: list[int]) -> bool:
    """Whether more than two classes follow one another, and repeat in the same order."""
    kinds = len(set(order))
    again = kinds > 2 and len(order) >= 2 * kinds
    return again and all(label == order[i % kinds] for i, label in enumerate(order))


RULE = Rule(
    group="data",
    certain=False,
    unless=NEVER_LEARNS,
    # the loader, if it gives no other rows; else the loop over the batches
    place=lambda e: e.sites["loader"] or batches(e.stack),
    message="""Batches hold {share} of one class and come sorted; the loss rises by {jump} at each change of
    class.""",
    why="""The net learns the class of the moment and unlearns the others, over and over. What it knows at the
    end depends on which class came last.""",
    fix="Shuffle the training rows in every epoch (DataLoader(..., shuffle=True), or a new permutation).",
    safety="Safe: the same rows are learned from, in another order.",
    limits="Several batches in a row have to be recorded, and the labels have to be classes.",
    wrong="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.arange(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
    mend={"torch.arange(240)": "torch.randperm(240)"},
)
