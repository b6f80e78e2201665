"""Gradients that no optimizer step ever uses."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="no_step",
    group="gradients",
    severity="wrong",
    certain=True,
    message=N_("{backwards} backwards wrote gradients for {optimizer}, which took {steps} steps."),
    why=N_(
        "Gradients alone change nothing: the optimizer's step does. These were computed and thrown "
        "away, so that "
        "the parameters stayed (nearly) where they were."
    ),
    fix=N_("Call this optimizer's step() (with its parentheses) after each backward."),
    safety="Safe: before, nothing was learned by these weights.",
    limits="A program that moves weights itself, in place, has stepped.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
