"""Training that goes on in eval mode after an evaluation, or begins in it."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import NetSeen, Seen
from treino.diagnosis.where.edit import set_once
from treino.diagnosis.where.source import function, names
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """eval() was called, and steps were then taken on the net's outputs in eval mode: after an evaluation, or
    from the first one on, of a net that was made anew.
    """
    for net in seen.nets:
        if net.trained_in_eval >= 3:
            numbers = {"steps": net.trained_in_eval, "net": net.name, "layers": ", ".join(net.modal_kinds)}
            yield Evidence(place(net), net.trained_at, numbers)


def place(net: NetSeen) -> Site | None:
    """The only line that sets a net to training, where that stands before the loops; or the ``eval()``."""
    restores = net.eval_at is not None and "training" in names(function(net.eval_at))
    once = set_once(net.trained_at.file, "train") if net.trained_at is not None and not restores else None
    return once or net.eval_at


RULE = Rule(
    id="train_mode_never_restored",
    group="modes",
    severity="wrong",
    certain=True,
    watches=("nets",),
    decide=decide,
    message=N_("{net} was set to eval, and {steps} steps were then trained in eval mode ({layers})."),
    why=N_(
        "In eval mode dropout is off and batch norm uses its stored statistics, which no longer follow the "
        "weights. What is trained so is another network than the one that was written."
    ),
    fix=N_("Call model.train() at the head of every epoch (or right after the evaluation)."),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    net.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    cost=N_("shares the calls of nets with missing_eval"),
)
