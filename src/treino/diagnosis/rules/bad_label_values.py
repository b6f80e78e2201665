"""Labels that the loss can't mean."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="bad_label_values",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_("{loss} got labels that it can't mean: {values} ({calls} of {looked} calls looked at)."),
    why=N_(
        "Classes count from 0 to C − 1, binary cross-entropy wants labels between 0 and 1, margin "
        "losses want −1 "
        "and 1. Outside their range the losses raise, or silently reward the wrong answer without bound."
    ),
    fix=N_("Map the labels to the range that this loss expects before training."),
    safety="Depends on what the labels mean: look at them first.",
    limits="Labels are looked at in the losses of torch, in the calls that are watched.",
    wrong="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(net(x).squeeze(1), y.float())
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
