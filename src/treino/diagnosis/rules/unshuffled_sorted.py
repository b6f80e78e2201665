"""Training rows sorted by class, read in order."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="unshuffled_sorted",
    group="data",
    severity="wrong",
    certain=False,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "Batches hold {share} of one class and come sorted; the loss rises by {jump} at each change of class."
    ),
    why=N_(
        "The net learns the class of the moment and unlearns the others, over and over. What it knows at "
        "the end depends on which class came last."
    ),
    fix=N_("Shuffle the training rows in every epoch (DataLoader(..., shuffle=True), or a new permutation)."),
    safety="Safe.",
    limits="Needs batches that are watched in a row, and labels of classes.",
    wrong="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.arange(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
    right="""\
x, y = x[y.argsort()], y.sort().values
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(4):
    for rows in torch.randperm(240).split(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
""",
)
