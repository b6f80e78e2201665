"""Steps as large as the weights themselves."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="lr_too_high",
    group="settings",
    severity="wrong",
    certain=False,
    unless=(
        "unshuffled_sorted",
        "unscaled_inputs",
        "exploding_sum_loss",
        "nan_inputs",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "params_not_in_optimizer",
        "nll_without_log_softmax",
        "softmax_wrong_dim",
        "symmetric_init",
    ),
    message=N_(
        "lr {lr} moves the weights by up to {step} of their size in one step; the loss ends at {loss}, a "
        "constant gets {constant}."
    ),
    why=N_(
        "Each step jumps over what the last one reached, so that the loss climbs or swings instead of "
        "falling. Units may die on the way and never come back."
    ),
    fix=N_("Divide lr by 10 until the loss falls steadily (1e-3 for Adam and 0.1 for SGD are usual starts)."),
    safety="A lower rate needs more steps.",
    limits="Judged by the loss of the training alone and by the size of its steps.",
    wrong="""\
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=100.0)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
