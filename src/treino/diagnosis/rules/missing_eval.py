"""Evaluation with dropout or batch norm in training mode."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="missing_eval",
    group="modes",
    severity="wrong",
    certain=True,
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
