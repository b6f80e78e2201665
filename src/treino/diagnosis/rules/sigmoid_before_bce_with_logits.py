"""Sigmoid twice: once by hand, once inside binary_cross_entropy_with_logits."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="sigmoid_before_bce_with_logits",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "The input of binary_cross_entropy_with_logits is already a probability ({calls} of {looked} calls "
        "looked at)."
    ),
    why=N_(
        "The loss applies the sigmoid itself: applied twice, an output between 0 and 1 becomes 0.50 to "
        "0.73, so "
        "that the network can never say no, and its loss stays above 0.31."
    ),
    fix=N_("Give it the raw output, or use binary_cross_entropy (BCELoss) with the sigmoid."),
    safety="Safe for training. Where the output is read as a probability elsewhere, apply the sigmoid there.",
    limits="A sigmoid inside a compiled part is not seen.",
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(torch.sigmoid(net(x)).squeeze(1), (y > 0).float())
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x).squeeze(1), (y > 0).float())
    loss.backward()
    optimizer.step()
""",
)
