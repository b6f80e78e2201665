"""Units that begin alike and stay alike."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="symmetric_init",
    group="settings",
    severity="wrong",
    certain=True,
    message=N_("All {units} units of a {layer} layer have the same weights, {when}."),
    why=N_(
        "Units with equal weights get equal gradients, so that they stay equal for ever: the layer is as "
        "good as a single unit."
    ),
    fix=N_(
        "Leave PyTorch's random initialisation as it is, or use nn.init.kaiming_normal_ or "
        "xavier_uniform_; only biases may be constant."
    ),
    safety="Safe: before, all units of a layer were one.",
    limits=(
        "Looks at matrices of which every row or column stays equal over several steps; a last layer "
        "that starts at zero is right and left alone."
    ),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
for p in net.parameters():
    nn.init.constant_(p, 0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(12):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
