"""A loss that has lost its history before backward."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="detached_loss",
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    message=N_("{backwards} backwards started from a tensor that knows nothing of the network."),
    why=N_(
        "A tensor made anew from a number (torch.tensor, .item(), .data, requires_grad=True) has no "
        "history, so "
        "that backward ends there and the parameters get no gradient. requires_grad only silences the error."
    ),
    fix=N_("Compute the loss from the network's output with torch functions, and leave its history alone."),
    safety="Safe: before, nothing was learned.",
    limits=(
        "A backward whose gradients a program reads by itself, without an optimizer of torch, is left alone."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss = torch.tensor(loss.item(), requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
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
