"""Random changes to the rows of an evaluation."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="augment_on_test",
    group="data",
    severity="wrong",
    certain=False,
    unless=("test_in_train",),  # the folds of one net come under labels in the same order
    message=N_("The evaluation rows are changed at random: {what}."),
    why=N_(
        "Random augmentation makes evaluation harder than the real rows are, and different each time. "
        "Figures of two epochs can't be compared."
    ),
    fix=N_(
        "Give the evaluation set its own transform without random parts (resize, centre crop, normalise)."
    ),
    safety="Safe: evaluation then gives the same figure each time.",
    limits="Needs the same labels at two evaluations; a single one can't show it.",
    wrong="""\
def augment(rows):
    return rows + 0.5 * torch.randn_like(rows)


x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(augment(x_train)), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(augment(x_test)).argmax(1) == y_test).float().mean()
""",
    right="""\
def augment(rows):
    return rows + 0.5 * torch.randn_like(rows)


x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(augment(x_train)), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x_test).argmax(1) == y_test).float().mean()
""",
)
