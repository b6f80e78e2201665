"""Softmax over another axis than that of the classes (or of the keys)."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.configured import set_number
from treino.diagnosis.reading.places import written
from treino.diagnosis.reading.source import called, loss_line, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_

NAMES = ("softmax", "log_softmax", "Softmax", "LogSoftmax")


def decide(seen: Seen) -> Iterable[Evidence]:
    """The saved dim of the softmax before a loss, or before a product with values, is not the axis it
    must sum over.
    """
    for loss in seen.losses.values():
        if loss.wrong_dim and loss.wrong_dims is not None:
            numbers = {"calls": loss.wrong_dim, "dim": loss.wrong_dims[0], "right": loss.wrong_dims[1]}
            yield Evidence(_place(written(loss.wrong_dim_at or loss.site, *NAMES)), loss.site, numbers)
    for b in seen.backwards.values():
        if b.wrong_dim and b.wrong_dims is not None:
            numbers = {"calls": b.wrong_dim, "dim": b.wrong_dims[0], "right": b.wrong_dims[1]}
            yield Evidence(_place(b.wrong_dim_at or loss_line(b.site)), b.site, numbers)
        for site, count in b.attention.items():
            actual, right = b.attention_dims or (0, 0)
            yield Evidence(
                _place(_only_one(site or b.site)), b.site, {"calls": count, "dim": actual, "right": right}
            )


def _only_one(site: Site | None) -> Site | None:
    """The only softmax of the file, where the line has none: a compiled net doesn't tell its lines."""
    statement, module = (statement_at(site), tree(site.file)) if site is not None else (None, None)
    if site is None or statement is None or module is None or called(statement, *NAMES):
        return site
    lines = [c.lineno for c in called(module, *NAMES)]
    return Site(site.file, lines[0]) if len(lines) == 1 else site


def _place(site: Site | None) -> Site | None:
    """Where the axis is chosen."""
    return set_number(site, "dim", lambda n: True, *NAMES) or site


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
        "of {looked} calls looked at)."
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
