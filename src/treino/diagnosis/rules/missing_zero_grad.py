"""Steps that use the gradients of past steps again."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.places import hook_line, update_by_hand
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """An optimizer stepped at least twice on gradients that were summed onto used ones."""
    for o in seen.optimizers:
        if o.tainted_steps >= 2:
            numbers = {"optimizer": o.kind, "summed": o.tainted_steps, "steps": o.judged}
            yield Evidence(hook_line(o.tainted_at, "zero_grad"), o.stepped_at, numbers)
    m = seen.manual
    if m.tainted_updates >= 2:
        numbers = {"optimizer": _("by hand"), "summed": m.tainted_updates, "steps": m.updates + 1}
        yield Evidence(update_by_hand(m.tainted_at) or m.tainted_at, m.tainted_at, numbers)


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
