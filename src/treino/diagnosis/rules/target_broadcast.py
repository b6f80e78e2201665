"""A prediction [N, 1] against a target [N]: every row is compared with every other."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.loss_seen import LossSeen
from treino.diagnosis.watch.seen import BackwardSeen, Seen
from treino.diagnosis.where.edit import caller, loss_made, only_caller, passes_on, second_input
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Loss shapes that broadcast to more elements than either has; or a mean over such a difference."""
    for loss in seen.losses.values():
        if loss.broadcast and loss.shapes is not None:
            yield _evidence(place(loss), loss.site, *loss.shapes, loss.broadcast)
    for b in seen.backwards.values():
        if b.broadcasts >= 2 and b.broadcast is not None:
            shape = b.broadcast[0]
            target = shape[:1] if len(shape) == 2 else (*shape[:1], 1)
            made = b.broadcast_at or loss_made(b.site)
            yield _evidence(place_by_hand(b, made), made, shape, target, b.calls)


def place(loss: LossSeen) -> Site | None:
    """Where the prediction lost, or got, its axis; or else the caller that chose the shapes."""
    line = caller(loss.callers)
    if loss.shapes is not None and len(loss.shapes[1]) == 2 and loss.shapes[1][1] > 1:
        line = second_input(line)  # its own two parts were stretched
    return loss.axis_at or line


def place_by_hand(b: BackwardSeen, made: Site | None) -> Site | None:
    """The same of a difference that is made by hand."""
    line = (only_caller(made) or loss_made(b.site, within=False)) if passes_on(made, most=2) else made
    return b.axis_at or line


def _evidence(
    edit: Site | None, seen: Site | None, prediction: tuple[int, ...], target: tuple[int, ...], calls: int
) -> Evidence:
    return Evidence(
        edit, seen, {"prediction": str(list(prediction)), "target": str(list(target)), "calls": calls}
    )


RULE = Rule(
    id="target_broadcast",
    group="losses",
    severity="wrong",
    certain=True,
    watches=("losses", "backwards"),
    decide=decide,
    early=True,
    message=N_(
        "A prediction of shape {prediction} meets a target of shape {target} and both are stretched ({calls} "
        "calls)."
    ),
    why=N_(
        "Every prediction is compared with every target of the batch, so that the best answer is the "
        "mean of all "
        "targets. The loss falls to the variance and stops there."
    ),
    fix=N_("Give both the same shape: squeeze(1) on the prediction, or unsqueeze(1) on the target."),
    wrong="""\
import warnings
warnings.simplefilter("ignore")
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), x[:, 0])
    loss.backward()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x).squeeze(1), x[:, 0])
    loss.backward()
    optimizer.step()
""",
    cost=N_("compares two shapes per loss, and reads shapes in the graphs that are walked"),
)
