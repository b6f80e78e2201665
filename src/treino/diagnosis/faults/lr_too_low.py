"""Steps that move nothing."""

from collections.abc import Iterable

from treino.diagnosis.faults.course import optimizers, training
from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.studies import studied
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log
from treino.diagnosis.where.settings import setting
from treino.words import N_

LEAST = 20  # steps
STILL = (
    0.02  # of their size, that weights moved in all: 0.0009 by such a rate, 0.12 at least in right scripts
)
TYPICAL = 1e-4  # of their size, that they move in a step: 4e-6 by such a rate, 0.003 at least in right ones
STUCK = 0.7  # of a constant's loss
SAME = 0.9  # of the first loss: 0.94 by such a rate, 0.55 at most in right scripts


def decide(log: Log) -> Iterable[Evidence]:
    """After all steps the weights are where they began, and the loss is nearly what it was."""
    loss = training(log)
    if loss is None or studied(log, "lr"):
        return
    for o in optimizers(log):
        if o.optimizer not in loss.optimizers or o.steps < LEAST or not o.ratios:
            continue
        still = 0 < o.movement < STILL and 0 < o.typical < TYPICAL
        if still and loss.stuck(STUCK) and loss.last() > SAME * loss.first():
            numbers = {"lr": o.lr, "movement": o.movement, "steps": o.steps, "loss": loss.last()}
            yield Evidence(loss.site, numbers, at=o.site)
            return


def place(evidence: Evidence) -> Site | None:
    """Where the rate is written."""
    return setting(evidence.at, "lr", 1, evidence.numbers["lr"])


RULE = Rule(
    id="lr_too_low",
    group="settings",
    severity="wrong",
    certain=False,
    decide=decide,
    place=place,
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
