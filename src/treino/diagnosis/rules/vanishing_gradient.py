"""Gradients that die out on their way to the first layer."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="vanishing_gradient",
    group="gradients",
    severity="wrong",
    certain=False,
    unless=(
        "symmetric_init",
        "dead_relu",
        "label_misaligned",
        "missing_zero_grad",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "nan_inputs",
        "unscaled_inputs",
        "exploding_sum_loss",
        "lr_too_high",
        "clip_too_small",
        "weight_decay_too_high",
    ),
    message=N_(
        "The gradient of the first of {layers} weights is {ratio} of the last one's, and the loss stays "
        "at chance."
    ),
    why=N_(
        "Each saturating activation or tiny weight shrinks the gradient on its way back. The first layers "
        "get nearly none and keep their random values, so that the rest learns from noise."
    ),
    fix=N_(
        "Use ReLU or a normalisation layer, the default initialisation (or one fitted to the activation), "
        "or skip connections."
    ),
    safety="Another activation or another start changes all figures; it is a new training.",
    limits=(
        "Only the first and the last weights of a net are compared, and only while the loss stays at chance."
    ),
    wrong="""\
layers = [nn.Linear(8, 16), nn.Sigmoid()]
for _ in range(9):
    layers += [nn.Linear(16, 16), nn.Sigmoid()]
net = nn.Sequential(*layers, nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
layers = [nn.Linear(8, 16), nn.ReLU()]
for _ in range(2):
    layers += [nn.Linear(16, 16), nn.ReLU()]
net = nn.Sequential(*layers, nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
)
