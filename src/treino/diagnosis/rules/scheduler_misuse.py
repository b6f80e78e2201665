"""A schedule that is not stepped as it was made for."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="scheduler_misuse",
    group="settings",
    severity="wrong",
    certain=True,
    message=N_("{scheduler} {what} ({calls} calls, {updates} updates)."),
    why=N_(
        "A schedule counts its own calls: stepped at another pace than it was made for, the rate is "
        "nearly zero too early, or never reaches its course. Before the first update it skips the first "
        "rate."
    ),
    fix=N_(
        "Call scheduler.step() after optimizer.step(): once per epoch for StepLR and the like, once per "
        "batch for OneCycleLR."
    ),
    safety="The rate follows another course: look at it once more.",
    limits="A schedule of one's own, that sets `param_groups` by hand, is not judged.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
""",
)
