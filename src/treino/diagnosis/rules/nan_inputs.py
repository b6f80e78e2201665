"""NaN or infinity in the rows that enter the net."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="nan_inputs",
    group="data",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "{rows} rows with NaN or infinity went into the net, and {losses} losses or answers came out not "
        "finite."
    ),
    why=N_(
        "NaN spreads: one cell makes the row's output, the batch's loss and then every parameter NaN. "
        "Skipping such losses leaves the other rows of the batch out as well."
    ),
    fix=N_(
        "Drop or fill the missing values before they become a tensor (with the training rows' mean or "
        "median)."
    ),
    safety="Filling or dropping rows changes the data: choose by what the holes mean.",
    limits="Rows are looked at as they enter a net; values that a program masks afterwards are left alone.",
    wrong="""\
x[3, 2] = float("nan")
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
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
