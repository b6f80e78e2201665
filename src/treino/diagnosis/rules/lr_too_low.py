"""Steps that move nothing."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """After all steps the weights are where they began, and the loss is nearly what it was."""
    main = seen.main_loss()
    if main is None or any(
        c.share and sorted(c.share)[len(c.share) // 2] < 0.05 for c in seen.clips.values()
    ):
        return
    for o in seen.optimizers:
        if o.steps < 20 or o.movement is None or not o.update_ratio or o.cleared_steps or o.idle_steps:
            continue
        ratios = sorted(o.update_ratio)
        first = sum(main.values[: max(1, len(main.values) // 4)]) / max(1, len(main.values) // 4)
        still = o.movement < 0.01 and 0 < ratios[len(ratios) // 2] < 3e-5
        if still and main.stuck(0.7) and main.last() > 0.9 * first:
            numbers = {
                "lr": o.first_lr or o.lr,
                "movement": o.movement,
                "steps": o.steps,
                "loss": main.last(),
            }
            yield Evidence(o.site, main.site, numbers)
            return


RULE = Rule(
    id="lr_too_low",
    group="settings",
    severity="wrong",
    certain=False,
    watches=("optimizers", "losses", "clips"),
    decide=decide,
    unless=(
        "vanishing_gradient",
        "symmetric_init",
        "clip_too_small",
        "no_step",
        "grad_cleared_before_step",
        "detached_loss",
        "weight_decay_too_high",
        "missing_zero_grad",
        "nan_inputs",
    ),
    message=_(
        "With lr {lr} the weights moved by {movement} of their size in {steps} steps, and the loss is "
        "still {loss}."
    ),
    why=_(
        "The gradients are there, but the steps are so small that the net stays at its random start. More "
        "epochs would be needed by the hundred."
    ),
    fix=_("Multiply lr by 10 until the loss falls within the first epoch."),
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
    cost=_("compares sampled weights before and after the watched steps"),
)
