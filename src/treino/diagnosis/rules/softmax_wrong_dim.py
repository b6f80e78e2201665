"""Softmax over another axis than that of the classes (or of the keys)."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.where.edit import loss_made, sole_call
from treino.diagnosis.where.settings import setting, written
from treino.diagnosis.where.source import calls, same, written_on
from treino.words import N_

NAMES = ("softmax", "log_softmax", "Softmax", "LogSoftmax")


def decide(seen: Seen) -> Iterable[Evidence]:
    """The saved dim of the softmax before a loss, or before a product with values, is not the axis it
    must sum over.
    """
    for loss in seen.losses.values():
        if loss.wrong_dim and loss.wrong_dims is not None:
            numbers = {"calls": loss.wrong_dim, "dim": loss.wrong_dims[0], "right": loss.wrong_dims[1]}
            yield Evidence(place(loss.wrong_dim_at or loss.site), loss.site, numbers)
    for b in seen.backwards.values():
        if b.wrong_dim and b.wrong_dims is not None:
            numbers = {"calls": b.wrong_dim, "dim": b.wrong_dims[0], "right": b.wrong_dims[1]}
            yield Evidence(place(b.wrong_dim_at or loss_made(b.site)), b.site, numbers)
        for site, count in b.attention.items():
            actual, right = b.attention_dims or (0, 0)
            yield Evidence(place(site or b.site), b.site, {"calls": count, "dim": actual, "right": right})


def place(site: Site | None) -> Site | None:
    """Where the axis is written; of a compiled net, which tells no lines, the file's only softmax."""
    line = sole_call(site, *NAMES)
    named = setting(line, "dim")
    if line is None or not same(named, line):
        return named
    given = (c.args[-1] for c in calls(written_on(line), *NAMES) if c.args and not c.keywords)
    return next((at for axis in given if (at := written(line, axis)) is not None), line)


RULE = Rule(
    id="softmax_wrong_dim",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses", "backwards"),
    decide=decide,
    early=True,
    message=N_(
        "This softmax runs over dim {dim}; the probabilities must sum to one over dim {right} ({calls} "
        "calls)."
    ),
    why=N_(
        "Along the wrong axis each row is mixed with the other rows of the batch (or each key with other "
        "queries), and the probabilities of one row don't sum to one. The result depends on which rows "
        "happen to "
        "be together."
    ),
    fix=N_("Pass the class axis: dim=1 for [batch, classes], dim=-1 for attention over keys."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=0), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("reads the saved dim of softmax nodes near losses and batched products"),
)
