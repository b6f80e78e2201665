"""Softmax over another axis than that of the classes (or of the keys)."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="softmax_wrong_dim",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "This softmax runs over dim {dim}; the probabilities must sum to one over dim {right} ({calls} "
        "of {looked} calls looked at)."
    ),
    why=N_(
        "Along the wrong axis each row is mixed with the other rows of the batch (or each key with other "
        "queries), and the probabilities of one row don't sum to one. The result depends on which rows "
        "happen to "
        "be together."
    ),
    fix=N_("Pass the class axis: dim=1 for [batch, classes], dim=-1 for attention over keys."),
    safety="Safe: the probabilities of a row then sum to one.",
    limits=(
        "Which axis holds the classes is known from the loss, from an argmax, or from the product "
        "that uses the weights; without any of these nothing is told."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=0), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(net(x), dim=1), y)
    loss.backward()
    optimizer.step()
""",
)
