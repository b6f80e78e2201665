"""Steps that use the gradients of past steps again."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.clearing import clears_uncalled, meant_to_clear
from treino.diagnosis.reading.places import hook_line, update_by_hand
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_, _

OPPOSED = -0.2  # mean cosine of two nets' gradients that don't want the same


def decide(seen: Seen) -> Iterable[Evidence]:
    """An optimizer stepped at least twice on gradients that were summed onto used ones."""
    idle = {o.filled_at for o in seen.optimizers if not o.steps and o.filled_at is not None}
    for o in seen.optimizers:
        if o.tainted_steps >= 2 and o.tainted_at in idle:
            continue  # it took the step of another, which never had one: no_step says so
        if o.tainted_steps >= 2:
            numbers = {"optimizer": o.kind, "summed": o.tainted_steps, "steps": o.judged}
            place = meant_to_clear(o.tainted_at, o.cleared_between)
            yield Evidence(place or hook_line(o.tainted_at, "zero_grad"), o.stepped_at, numbers)
        elif _opposed(o.left_over):
            numbers = {"optimizer": o.kind, "summed": len(o.left_over), "steps": o.judged}
            yield Evidence(meant_to_clear(o.left_over_at) or o.left_over_at, o.stepped_at, numbers)
    m = seen.manual
    if m.tainted_updates >= 2:
        numbers = {"optimizer": _("by hand"), "summed": m.tainted_updates, "steps": m.updates + 1}
        place = meant_to_clear(m.tainted_at)
        if place is None and not clears_uncalled(m.tainted_at):
            place = update_by_hand(m.tainted_at)
        yield Evidence(place or m.tainted_at, m.tainted_at, numbers)


def _opposed(cosines: list[float]) -> bool:
    """Whether what another net's loss left in this one pulls against its own loss, nearly always."""
    against = sum(c < 0 for c in cosines)
    return len(cosines) >= 3 and 4 * against >= 3 * len(cosines) and sum(cosines) < OPPOSED * len(cosines)


RULE = Rule(
    id="missing_zero_grad",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("optimizers", "manual"),
    decide=decide,
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
    cost=N_("reads the identity and version of each gradient at backward and step"),
)
