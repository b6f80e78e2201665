"""Inputs of very different or very large scales."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="unscaled_inputs",
    group="data",
    severity="wrong",
    certain=False,
    unless=("nan_inputs", "missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss"),
    message=N_(
        "Inputs reach {largest} and their columns differ {spread} times in scale; the loss ends at "
        "{loss}, a constant gets {constant}."
    ),
    why=N_(
        "The largest column decides the output and the gradient, and the others hardly count. A rate that "
        "suits one column is wildly wrong for another."
    ),
    fix=N_("Standardise each column with the training rows' mean and deviation."),
    safety="Safe; the best rate changes.",
    limits="Told only where the loss stays near that of a constant.",
    wrong="""\
x = x * torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3000.0])
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
