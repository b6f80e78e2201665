"""The same random numbers in every epoch."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="seed_reset_each_epoch",
    group="settings",
    severity="wrong",
    certain=True,
    message=N_("The same seed {seed} was set, or the same order drawn, {times} times within one training."),
    why=N_(
        "Every epoch draws the same order, the same dropout masks and the same augmentation. The net "
        "never sees anything new, which is what they are there for."
    ),
    fix=N_("Set the seed once, before training; tell a distributed sampler every epoch (set_epoch)."),
    safety="Safe: each epoch then draws anew.",
    limits="Generators of torch, NumPy and `random` are known; one that a library seeds is its own.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    torch.manual_seed(0)
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
torch.manual_seed(0)
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
