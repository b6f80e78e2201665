"""Gradients that no optimizer step ever uses."""

from collections import Counter
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.clearing import cleared_unused, meant_to_step, stepped_another
from treino.diagnosis.reading.idle_update import idle_update
from treino.diagnosis.reading.places import hook_line
from treino.diagnosis.reading.subtracted import given_to_nobody
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.thrown import thrown_away, within_a_turn
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """An optimizer never stepped though its gradients were written; or nearly all of them were thrown
    away; or new values of weights were worked out by hand and given to nobody.
    """
    if seen.manual.stays() and not seen.steps:
        yield from _by_hand(seen)
    for b in seen.idle if not (seen.steps or seen.backwards) else ():
        place = given_to_nobody(b.site)
        if place is not None:
            yield Evidence(place, b.site, {"optimizer": "tensors", "backwards": b.calls, "steps": 0})
    fills = Counter[Site | None]()  # of all optimizers that one line made, as for folds, and nobody steps
    for o in seen.optimizers:
        fills[o.site] += o.filled if not o.steps and o.never_moved else 0
    for o in seen.optimizers:
        filled = max(o.filled, fills[o.site] if not o.steps else 0)
        another = stepped_another(o.filled_at) if filled >= 3 and not o.steps else None
        if another is not None:
            numbers = {"optimizer": o.kind, "backwards": filled, "steps": 0}
            yield Evidence(another, o.filled_at, numbers)
            continue
        if filled < 3 or o.stepped_at is None:
            if filled >= 3 and o.steps == 0 and o.never_moved and not any(s.steps for s in o.shares_with):
                numbers = {"optimizer": o.kind, "backwards": filled, "steps": 0}
                place = meant_to_step(o.filled_at, o.discarded_at, alone=not seen.steps)
                place = place or cleared_unused(o.filled_at, o.discarded_at)
                place = place or hook_line(o.filled_at, "optimizer_step")
                yield Evidence(place, o.filled_at, numbers)
            continue
        if thrown_away(o) and not within_a_turn(seen, o):
            numbers = {"optimizer": o.kind, "backwards": o.filled, "steps": o.steps}
            yield Evidence(o.stepped_at, o.filled_at, numbers)


def _by_hand(seen: Seen) -> Iterable[Evidence]:
    """The line that works out what a weight should have become."""
    busiest = max(seen.backwards.values(), key=lambda b: b.calls)
    place = idle_update(busiest.site) if not seen.optimizers else None
    if place is not None:
        numbers = {"optimizer": "tensors", "backwards": busiest.calls, "steps": 0}
        yield Evidence(place, busiest.site, numbers)


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
