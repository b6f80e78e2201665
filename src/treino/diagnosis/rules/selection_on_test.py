"""A choice that was made on test figures."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="selection_on_test",
    group="settings",
    severity="risk",
    certain=False,
    message=N_("The best was chosen by {evaluations} looks at {what}, and no other rows judge it."),
    why=N_(
        "The best of many looks is lucky on those rows: its figure there is too good, and nothing is left "
        "to measure by."
    ),
    fix=N_("Choose on validation rows; look at the test rows once, at the end."),
    safety="The figure of the chosen network falls to what it is.",
    limits=(
        "Likely, and the one rule that also reads names: whether rows are called test or validation. "
        "A choice by rows of no such name, with no others that judge it, is told too."
    ),
    wrong="""\
x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
best_accuracy = 0.0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x_train), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        test_accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    if test_accuracy > best_accuracy:
        best_accuracy, best = test_accuracy, {k: v.clone() for k, v in net.state_dict().items()}
""",
    right="""\
x_train, y_train, x_val, y_val = x[:180], y[:180], x[180:], y[180:]
best_accuracy = 0.0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x_train), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        val_accuracy = (net(x_val).argmax(1) == y_val).float().mean().item()
    if val_accuracy > best_accuracy:
        best_accuracy, best = val_accuracy, {k: v.clone() for k, v in net.state_dict().items()}
""",
)
