"""A summed loss whose steps are as large as the batch."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="exploding_sum_loss",
    group="losses",
    severity="wrong",
    certain=False,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "The loss is a sum over {rows} rows and training does not converge: {first} at first, {last} at "
        "the end."
    ),
    why=N_(
        "Summed over the batch, the gradient is as many times larger as there are rows, and so is every "
        "step: lr that suits a mean is far too large. It also changes with the batch size."
    ),
    fix=N_("Use reduction='mean' (the default), or divide lr by the batch size."),
    safety="The gradients become smaller by the number of rows: multiply the rate accordingly.",
    limits="Told only where the training does not converge; a sum with a small rate is right.",
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, :1], reduction="sum")
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, :1])
    loss.backward()
    optimizer.step()
""",
)
