"""A decay that outweighs the loss."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="weight_decay_too_high",
    group="settings",
    severity="wrong",
    certain=False,
    unless=(
        "lr_too_high",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "params_not_in_optimizer",
    ),
    message=N_(
        "weight_decay {weight_decay} shrank the weights to {shrunk} of their size; the loss ends at {loss}."
    ),
    why=N_(
        "Each step pulls all weights to zero more strongly than the loss pulls them anywhere. With "
        "weights near zero the net says the same for every row."
    ),
    fix=N_("Use 1e-4 to 1e-2 (none for biases and norms), or 0 until the net can fit the training rows."),
    safety="Weights grow again; a net may then overfit.",
    limits=(
        "Decay that is added to the loss by hand is known where the weights shrink and the loss stays "
        "at chance."
    ),
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=2.0)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-4)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
