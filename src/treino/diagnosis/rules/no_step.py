"""Gradients that no optimizer step ever uses."""

from collections import Counter
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.thrown import thrown_away, within_a_turn
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.diagnosis.where.edit import hook
from treino.diagnosis.where.source import function
from treino.diagnosis.where.updates import clears, stepped_elsewhere, unkept, update
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """An optimizer never stepped though its gradients were written; or nearly all of them were thrown
    away; or new values of weights were worked out by hand and given to nobody.
    """
    if seen.manual.stays() and not seen.steps:
        yield from _by_hand(seen)
    for b in seen.idle if not (seen.steps or seen.backwards) else ():
        nobody = unkept(b.site)
        if nobody is not None:
            yield Evidence(nobody, b.site, {"optimizer": "tensors", "backwards": b.calls, "steps": 0})
    fills = Counter[Site | None]()  # of all optimizers that one line made, as for folds, and nobody steps
    for o in seen.optimizers:
        fills[o.site] += o.filled if not o.steps and o.never_moved else 0
    for o in seen.optimizers:
        filled = max(o.filled, fills[o.site] if not o.steps else 0)
        if filled < 3 or o.stepped_at is None:
            if filled >= 3 and o.steps == 0 and o.never_moved and not any(s.steps for s in o.shares_with):
                numbers = {"optimizer": o.kind, "backwards": filled, "steps": 0}
                yield Evidence(place(o), o.filled_at, numbers)
            continue
        if thrown_away(o) and not within_a_turn(seen, o):
            numbers = {"optimizer": o.kind, "backwards": o.filled, "steps": o.steps}
            yield Evidence(o.stepped_at, o.filled_at, numbers)


def _by_hand(seen: Seen) -> Iterable[Evidence]:
    """The line that works out what a weight should have become."""
    busiest = max(seen.backwards.values(), key=lambda b: b.calls)
    edit = place_by_hand(busiest.site) if not seen.optimizers else None
    if edit is not None:
        numbers = {"optimizer": "tensors", "backwards": busiest.calls, "steps": 0}
        yield Evidence(edit, busiest.site, numbers)


def place(o: OptimizerSeen) -> Site | None:
    """Where a step was meant, or belongs: before the line that clears what was never used."""
    meant = stepped_elsewhere(o.filled_at)
    if meant is not None or o.filled_at is None:
        return meant
    cleared = o.discarded_at
    below = (
        cleared is not None and function(cleared) is function(o.filled_at) and cleared.line > o.filled_at.line
    )
    return cleared if below else hook(o.filled_at, "optimizer_step")


def place_by_hand(backward: Site | None) -> Site | None:
    """The line that works out what a weight should have become; or the backward whose gradients are cleared,
    and nothing else is done with them. None where they may be asked for their own sake.
    """
    found = unkept(backward)
    return found or (backward if clears(backward) is not None and update(backward) is None else None)


RULE = Rule(
    id="no_step",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("optimizers",),
    decide=decide,
    message=N_("{backwards} backwards wrote gradients for {optimizer}, which took {steps} steps."),
    why=N_(
        "Gradients alone change nothing: the optimizer's step does. These were computed and thrown "
        "away, so that "
        "the parameters stayed (nearly) where they were."
    ),
    fix=N_("Call this optimizer's step() (with its parentheses) after each backward."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("shares the gradients' versions with missing_zero_grad"),
)
