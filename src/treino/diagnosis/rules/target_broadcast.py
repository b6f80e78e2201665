"""A prediction [N, 1] against a target [N]: every row is compared with every other."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="target_broadcast",
    group="losses",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "A prediction of shape {prediction} meets a target of shape {target} and both are stretched ({calls} "
        "of {looked} calls looked at)."
    ),
    why=N_(
        "Every prediction is compared with every target of the batch, so that the best answer is the "
        "mean of all "
        "targets. The loss falls to the variance and stops there."
    ),
    fix=N_("Give both the same shape: squeeze(1) on the prediction, or unsqueeze(1) on the target."),
    safety="Safe: the loss then compares each row with its own target.",
    limits=(
        "A broadcast in a loss by hand is told where a prediction and a target, both with a row each, "
        "meet in a difference or a product."
    ),
    wrong="""\
import warnings
warnings.simplefilter("ignore")
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, 0])
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x).squeeze(1), x[:, 0])
    loss.backward()
    optimizer.step()
""",
)
