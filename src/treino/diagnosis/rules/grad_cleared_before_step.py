"""Gradients that are cleared between backward and step."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="grad_cleared_before_step",
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    message=N_("{optimizer}: gradients were cleared between backward and step, {cleared} times of {steps}."),
    why=N_(
        "backward wrote gradients, they were cleared, and only then the optimizer stepped: it had nothing to "
        "follow. The network keeps its first weights."
    ),
    fix=N_("Clear the gradients before backward (or after step), never between the two."),
    safety="Safe: the order of three calls. Before, nothing was learned.",
    limits="Between windows gradients are not followed; a fault that begins late is found in a later window.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
)
