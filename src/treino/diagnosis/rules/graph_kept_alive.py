"""Graphs of past steps that something still holds."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="graph_kept_alive",
    group="modes",
    severity="waste",
    certain=True,
    early=True,
    message=N_("The graphs of {alive} past losses or outputs are still alive ({backwards} backwards)."),
    why=N_(
        "A loss that is summed or stored as a tensor holds its whole graph, so that memory grows with "
        "every step. "
        "Only its value is wanted."
    ),
    fix=N_("Store the number: total += loss.item() (or loss.detach())."),
    safety="Safe: the numbers stay the same, the memory is freed.",
    limits=(
        "Graphs are counted by marks on the losses and results that are watched; one that is kept "
        "across a few steps, for truncated back-propagation, is left alone."
    ),
    wrong="""\
total = 0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    total += loss
""",
    right="""\
total = 0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    total += loss.item()
""",
)
