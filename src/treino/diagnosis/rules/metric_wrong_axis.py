"""An argmax along the rows instead of the classes, or answers in a column against labels in a row."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="metric_wrong_axis",
    group="settings",
    unless=("target_broadcast",),
    severity="wrong",
    certain=True,
    message=N_("This figure is taken along the wrong axis: {what} ({calls} of {looked} calls looked at)."),
    why=N_(
        "Along the first axis the best row of each class is found, not the best class of each row; a column "
        "against a row compares each answer with every label; a mean over the outputs is a figure of each "
        "row, not of each output. What comes of it is not what it is called."
    ),
    fix=N_(
        "Take argmax(dim=1) (the class axis), compare with labels of the same shape, and average over the "
        "rows (dim=0)."
    ),
    safety="Safe: only the figure changes.",
    limits="Axes of figures by NumPy or scikit-learn are known while the arrays come straight from torch.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x).argmax() == y).float().mean()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x).argmax(1) == y).float().mean()
""",
)
