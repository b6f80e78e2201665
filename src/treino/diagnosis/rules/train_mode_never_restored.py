"""Training that goes on in eval mode after an evaluation."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """eval() was called, the net was evaluated, and steps were then taken on its outputs in eval mode."""
    for net in seen.nets:
        if net.trained_in_eval >= 3:
            numbers = {"steps": net.trained_in_eval, "net": net.name, "layers": ", ".join(net.modal_kinds)}
            yield Evidence(net.eval_at, net.trained_at, numbers)


RULE = Rule(
    id="train_mode_never_restored",
    group="modes",
    severity="wrong",
    certain=True,
    watches=("nets",),
    decide=decide,
    message=N_(
        "{net} was set to eval for an evaluation and trained on in eval mode for {steps} steps ({layers})."
    ),
    why=N_(
        "In eval mode dropout is off and batch norm uses its stored statistics, which no longer follow the "
        "weights. Everything after the first evaluation trains another network than the one before."
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
