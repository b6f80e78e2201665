"""A clip so small that nothing is left of the gradients."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="clip_too_small",
    group="gradients",
    severity="wrong",
    certain=False,
    message=N_(
        "Gradients are clipped to {limit}, typically {share} of their size, and the weights moved by "
        "{movement} in all."
    ),
    why=N_(
        "A clip is meant for rare outliers. This one cuts every gradient, so that the step is lr times "
        "the clip: too little to learn anything in the steps that were taken."
    ),
    fix=N_(
        "Raise the clip to about the gradients' usual norm (clip_grad_norm_ returns it), or raise lr with it."
    ),
    safety="The steps become larger; raise the limit little by little.",
    limits="Clipping by hand is known where it scales gradients by their norm in the usual forms.",
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1e-5)
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(30):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
""",
)
