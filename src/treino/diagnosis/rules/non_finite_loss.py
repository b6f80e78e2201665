"""A loss that is NaN or infinite."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="non_finite_loss",
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    unless=("exploding_sum_loss", "missing_zero_grad", "nan_inputs", "nll_without_log_softmax"),
    message=N_("The loss is NaN or infinite from backward {first} on; {steps} steps used it."),
    why=N_(
        "One such step makes every parameter NaN, and nothing can be learned after it. Operation that "
        "made it: "
        "{operation}."
    ),
    fix=N_(
        "Keep arguments inside the function's domain (log and sqrt of zero, division by zero), or lower lr."
    ),
    safety="A lower rate or a floor under a logarithm changes the figures, as it should.",
    limits=(
        "The operation is named from the graph of the loss; where a compiled part made it, only the "
        "line of the backward is known."
    ),
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    p = torch.relu(net(x)).squeeze(1)
    loss = -torch.log(p).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = -F.logsigmoid(net(x)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
)
