"""Training rows sorted by class, read in order."""

import ast
from collections.abc import Iterable

from treino.diagnosis.ancestry import made_by
from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.places import told_line
from treino.diagnosis.rule import Rule
from treino.diagnosis.source import loop_around
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Batches of one class each come in the same order again and again, and the loss jumps at every
    change.
    """
    for loss in seen.losses.values():
        runs = loss.runs
        if len(runs) < 8 or len(loss.labels) < 2 or sum(share for _, share in runs) < 800 * len(runs):
            continue
        order = [runs[0][0]]
        changes = []
        for i, (label, _share) in enumerate(runs[1:], start=1):
            if label != order[-1]:
                order.append(label)
                changes.append(i)
        kinds = len(set(order))
        period = order[:kinds]
        cyclic = kinds >= 2 and len(set(period)) == kinds and len(order) >= 2 * kinds - 1
        cyclic = cyclic and all(label == period[i % kinds] for i, label in enumerate(order))
        pure = sum(share for _, share in runs) > 950 * len(runs) and len(runs) >= 4 * len(order)
        if not cyclic or (kinds == 2 and not pure):
            continue
        v = loss.values
        rises = [max(v[i : i + 2]) - v[i - 1] for i in changes if i + 1 < len(v)]
        jump = sum(rises) / len(rises) if rises else 0.0
        if len(rises) >= 3 and jump > 0.02 and sum(r > 0 for r in rises) > 0.5 * len(rises):
            share = sum(share for _, share in runs) / 1000 / len(runs)
            numbers = {"share": share, "classes": kinds, "jump": jump}
            yield Evidence(told_line(loss.loader or _loop(loss.site)), loss.site, numbers)


def _loop(site: Site | None) -> Site | None:
    """The loop over the batches; where a generator of the file makes them, the loop in there."""
    loop = loop_around(site) if site is not None else None
    if site is None or loop is None:
        return site
    made = made_by(site.file, loop.iter) if isinstance(loop, ast.For) else []
    inner = next((around for step in made if (around := loop_around(step.site)) is not None), loop)
    return Site(site.file, inner.lineno)


RULE = Rule(
    id="unshuffled_sorted",
    group="data",
    severity="wrong",
    certain=False,
    watches=("losses",),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "Batches hold {share} of one class and come sorted; the loss rises by {jump} at each change of class."
    ),
    why=N_(
        "The net learns the class of the moment and unlearns the others, over and over. What it knows at "
        "the end depends on which class came last."
    ),
    fix=N_("Shuffle the training rows in every epoch (DataLoader(..., shuffle=True), or a new permutation)."),
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
    right="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.randperm(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
    cost=N_("counts the labels of the watched batches"),
)
