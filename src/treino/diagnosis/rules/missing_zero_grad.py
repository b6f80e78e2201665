"""Steps that use the gradients of past steps again."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import ManualSeen, OptimizerSeen, Seen
from treino.diagnosis.where.edit import hook
from treino.diagnosis.where.source import function
from treino.diagnosis.where.updates import cleared_elsewhere, update
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
            yield Evidence(place(o), o.stepped_at, numbers)
        elif _opposed(o.left_over):
            numbers = {"optimizer": o.kind, "summed": len(o.left_over), "steps": o.judged}
            yield Evidence(cleared_elsewhere(o.left_over_at) or o.left_over_at, o.stepped_at, numbers)
    m = seen.manual
    if m.tainted_updates >= 2:
        numbers = {"optimizer": _("by hand"), "summed": m.tainted_updates, "steps": m.updates + 1}
        yield Evidence(place_by_hand(m), m.tainted_at, numbers)


def place(o: OptimizerSeen) -> Site | None:
    """Where the gradients were to be cleared, or else the backward that summed them."""
    return cleared_elsewhere(o.tainted_at) or hook(o.tainted_at, "zero_grad")


def place_by_hand(m: ManualSeen) -> Site | None:
    """The same of weights that are moved by hand: where they are, if that is in a function of its own."""
    moved = update(m.tainted_at)
    apart = m.tainted_at is not None and moved is not None and function(moved) is not function(m.tainted_at)
    return cleared_elsewhere(m.tainted_at) or (moved if apart else m.tainted_at)


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
