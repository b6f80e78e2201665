"""Steps that use the gradients of past steps again."""

from treino.diagnosis.rule import Rule
from treino.words import N_

RULE = Rule(
    id="missing_zero_grad",
    group="gradients",
    severity="wrong",
    certain=True,
    early=True,
    message=N_(
        "{summed} of {steps} steps looked at ({optimizer}) used the gradients of earlier steps again."
    ),
    why=N_(
        "backward adds to .grad, and nothing cleared it after the step, so that each step follows the "
        "sum of all "
        "past gradients. The step size grows with the number of steps, and old batches never stop pulling."
    ),
    fix=N_("Call optimizer.zero_grad() once per step, before this backward."),
    safety=(
        "The steps become smaller: before, gradients added up. A rate that was tuned with the fault "
        "is then too low; `--prove` tries ten times and a tenth of it."
    ),
    limits=(
        "Accumulation over several batches is meant and not told, as long as the gradients are "
        "cleared after each step."
    ),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
)
