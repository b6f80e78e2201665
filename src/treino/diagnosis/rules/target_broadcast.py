"""A prediction [N, 1] against a target [N]: every row is compared with every other."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.places import caller, loss_made, passes_on, tabled_call
from treino.diagnosis.reading.provenance import definition
from treino.diagnosis.reading.source import loss_line, statement_at
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Loss shapes that broadcast to more elements than either has; or a mean over such a difference."""
    for loss in seen.losses.values():
        if loss.broadcast and loss.shapes is not None:
            place = caller(loss.callers)
            if len(loss.shapes[1]) == 2 and loss.shapes[1][1] > 1:
                place = _target_made(place)  # its own two parts were stretched
            yield _evidence(loss.axis_at or place, loss.site, *loss.shapes, loss.broadcast)
    for b in seen.backwards.values():
        if b.broadcasts >= 2 and b.broadcast is not None:
            shape = b.broadcast[0]
            target = shape[:1] if len(shape) == 2 else (*shape[:1], 1)
            made = b.broadcast_at or loss_line(b.site)
            place = (tabled_call(made) or loss_made(b.site)) if passes_on(made, most=2) else made
            yield _evidence(b.axis_at or place, made, shape, target, b.calls)


def _target_made(site: Site | None) -> Site | None:
    """The line that works out the second thing that a loss is given."""
    statement = statement_at(site) if site is not None else None
    calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)] if statement is not None else []
    named = next((c.args[1].id for c in calls if len(c.args) > 1 and isinstance(c.args[1], ast.Name)), None)
    made = definition(site, named) if site is not None and named is not None else None
    return Site(site.file, made.line) if site is not None and made is not None else site


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
        "of {looked} calls looked at)."
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
