"""ReLU units that are zero for every row."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="dead_relu",
    group="settings",
    severity="wrong",
    certain=False,
    unless=(
        "symmetric_init",
        "unscaled_inputs",
        "unshuffled_sorted",
        "lr_too_high",
        "label_misaligned",
        "weight_decay_too_high",
        "exploding_sum_loss",
        "nan_inputs",
        "non_finite_loss",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
    ),
    message=N_("Zero where it should not be: {what}; the loss ends at {loss}."),
    why=N_(
        "Where its input is below zero for all rows a ReLU passes neither values nor gradients, so that "
        "the unit can't recover. At the end of a net it also makes negative answers impossible."
    ),
    fix=N_("Lower lr, start biases at zero, use LeakyReLU or GELU, and put no ReLU after the last layer."),
    safety="Another start, rate or activation is a new training.",
    limits=(
        "Units are looked at in the calls that are watched; told only where the loss is no better "
        "than a constant's."
    ),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
nn.init.constant_(net[0].bias, -50.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
