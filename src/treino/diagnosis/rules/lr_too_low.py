"""Steps that move nothing."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="lr_too_low",
    group="settings",
    severity="wrong",
    certain=False,
    unless=(
        "scheduler_misuse",  # which says where the rate went
        "vanishing_gradient",
        "symmetric_init",
        "clip_too_small",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "weight_decay_too_high",
        "missing_zero_grad",
        "nan_inputs",
        "dead_relu",
        "scheduler_misuse",
        "softmax_before_cross_entropy",
        "sigmoid_before_bce_with_logits",
        "softmax_wrong_dim",
        "params_not_in_optimizer",
        "detached_graph",
    ),
    message=N_(
        "With lr {lr} the weights moved by {movement} of their size in {steps} steps, and the loss is "
        "still {loss}."
    ),
    why=N_(
        "The gradients are there, but the steps are so small that the net stays at its random start. More "
        "epochs would be needed by the hundred."
    ),
    fix=N_("Multiply lr by 10 until the loss falls within the first epoch."),
    safety="A higher rate may be too high: multiply by ten at most at a time.",
    limits=(
        "Judged within the steps that were run; a training that was stopped early by `--max-steps` is "
        "judged by these."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
