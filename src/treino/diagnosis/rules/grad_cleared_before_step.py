"""Gradients that are cleared between backward and step."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.thrown import thrown_away, within_a_turn
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.diagnosis.where.source import same
from treino.diagnosis.where.updates import called_behind, clears, handed_uncalled, update
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Most steps of an optimizer found every gradient that backward had written gone or zero; or those of
    most backwards between two steps; or weights that are moved by hand never move, since their gradients are
    cleared first.
    """
    for o in seen.optimizers:
        if o.cleared_steps >= 2 and o.cleared_steps * 2 > o.judged:
            numbers = {"optimizer": o.kind, "cleared": o.cleared_steps, "steps": o.judged}
            yield Evidence(place(o), o.stepped_at, numbers)
        elif thrown_away(o) and within_a_turn(seen, o):
            numbers = {"optimizer": o.kind, "cleared": sum(o.discarded.values()), "steps": o.filled}
            yield Evidence(place_thrown(o), o.stepped_at, numbers)
        elif _steps_on_nothing(o):
            numbers = {"optimizer": o.kind, "cleared": o.idle_steps, "steps": o.judged}
            yield Evidence(place_thrown(o), o.stepped_at, numbers)
    if seen.manual.stays() and not (seen.steps or seen.optimizers):
        busiest = max(seen.backwards.values(), key=lambda b: b.calls)
        edit = clears(busiest.site, before=update(busiest.site))
        if edit is not None and update(busiest.site) is not None:
            numbers = {"optimizer": "tensors", "cleared": busiest.calls, "steps": busiest.calls}
            yield Evidence(edit, busiest.site, numbers)


def _steps_on_nothing(o: OptimizerSeen) -> bool:
    """Whether the optimizer never has a gradient to step on: each was cleared, and another loss was run
    backward since.
    """
    lost = sum(o.discarded.values())
    return o.idle_steps >= 2 and o.idle_steps * 2 > o.judged and not o.used and lost * 2 > o.idle_steps


def place(o: OptimizerSeen) -> Site | None:
    """Where gradients were cleared: by a line that calls what it was handed, where that was; by hand, before
    the step that found them gone.
    """
    line = handed_uncalled(o.cleared_at, "zero_grad") or o.cleared_at
    return (clears(o.filled_at, before=o.stepped_at) or line) if same(line, o.stepped_at) else line


def place_thrown(o: OptimizerSeen) -> Site | None:
    """Where gradients were cleared that no step used: of a helper that is called on several lines, the call
    behind the backward that wrote them.
    """
    wrote = max(o.discarded, key=lambda s: o.discarded[s], default=None)
    return called_behind(o.discarded_at, wrote)


RULE = Rule(
    id="grad_cleared_before_step",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("optimizers", "manual"),
    decide=decide,
    early=True,
    message=N_("{optimizer}: gradients were cleared between backward and step, {cleared} times of {steps}."),
    why=N_(
        "backward wrote gradients, they were cleared, and only then the optimizer stepped: it had nothing to "
        "follow. The network keeps its first weights."
    ),
    fix=N_("Clear the gradients before backward (or after step), never between the two."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("shares the gradients' versions with missing_zero_grad"),
)
