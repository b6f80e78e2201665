"""Rows whose labels belong to other rows."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="label_misaligned",
    group="data",
    severity="wrong",
    certain=False,
    unless=(
        *("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
        *("sigmoid_before_bce_with_logits", "softmax_before_cross_entropy", "softmax_wrong_dim"),
        *("symmetric_init", "params_not_in_optimizer"),
    ),
    message=N_("Rows and labels are in different orders: {what}."),
    why=N_(
        "One of the two was shuffled without the other, so that each row is taught another row's label. "
        "There is nothing to learn but the classes' shares."
    ),
    fix=N_("Index rows and labels with the same permutation (or keep them in one Dataset)."),
    safety="Depends on the line: rows and labels must be put in order by one and the same order.",
    limits=(
        "A training that learns its labels by heart hides it, unless the lines that ordered rows and "
        "labels were seen."
    ),
    wrong="""\
x = x[torch.randperm(240)]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
order = torch.randperm(240)
x, y = x[order], y[order]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
