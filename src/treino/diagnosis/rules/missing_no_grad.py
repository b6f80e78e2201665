"""Evaluation that builds graphs which nobody uses."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="missing_no_grad",
    group="modes",
    severity="waste",
    certain=True,
    message=N_("{calls} evaluations ({rows} rows) recorded a graph that was never used."),
    why=N_(
        "Outside torch.no_grad() every operation is recorded for a backward that never comes. The "
        "results are the "
        "same, but memory and time are spent on it."
    ),
    fix=N_("Evaluate inside with torch.no_grad(): (or torch.inference_mode())."),
    safety="Safe: the same numbers, with less memory.",
    limits="Told of evaluations that are watched: of each line the first three and then now and then.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
)
