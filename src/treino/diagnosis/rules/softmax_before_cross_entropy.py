"""Softmax twice: once by hand, once inside cross_entropy."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="softmax_before_cross_entropy",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_("The input of cross_entropy is already a {kind} ({calls} of {looked} calls looked at)."),
    why=N_(
        "cross_entropy applies log-softmax itself, so the probabilities are squashed a second time: the loss "
        "can't fall below ln(1 + (C − 1)/e), 1.4612 for ten classes, and gradients are small. The "
        "network learns "
        "slowly and looks stuck."
    ),
    fix=N_(
        "Give cross_entropy the last layer's raw output; apply softmax only where you show probabilities."
    ),
    safety=(
        "Safe for training. Where the output is read as a probability elsewhere, apply the softmax "
        "there. Gradients grow, so the best rate may be lower."
    ),
    limits="A softmax inside a compiled part is not seen.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x).softmax(1), y)
    loss.backward()
    optimizer.step()
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
