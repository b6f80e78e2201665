"""Evaluation with dropout or batch norm in training mode."""

from collections.abc import Iterable

from treino.diagnosis.record.log import Log
from treino.diagnosis.rules.judged import groups
from treino.diagnosis.rules.rule import Evidence, Rule
from treino.words import N_


def decide(log: Log) -> Iterable[Evidence]:
    """Results of a trained net became figures, no backward came, and its dropout or batch norm was training.

    Targets (teachers, pseudo-labels) and repeated calls with the same rows (Monte Carlo) are none.
    """
    for group in groups(log):
        awake = [f for f in group.judged if f.active or f.dropping or f.norming]
        if awake and group.evaluates and not group.again:
            numbers = {"calls": len(awake), "layers": ", ".join(group.net.modal) or "F.dropout"}
            yield Evidence(group.site, numbers, at=group.site, stack=awake[0].stack)


RULE = Rule(
    id="missing_eval",
    group="modes",
    severity="wrong",
    certain=True,
    decide=decide,
    message=N_("{calls} evaluations ran in training mode ({layers})."),
    why=N_(
        "In training mode dropout switches units off at random, and batch norm uses (and learns from) the "
        "evaluation's own batch. The figures are not those of the network that you would use."
    ),
    fix=N_("Call model.eval() before evaluating and model.train() before training on."),
    safety=(
        "Safe, if `train()` follows before the next step. The figures change: they then are those of "
        "the whole net."
    ),
    limits=(
        "An evaluation is a call whose answers become a figure and that no backward follows; several "
        "calls on the same rows (Monte-Carlo dropout) are left alone."
    ),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
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
)
