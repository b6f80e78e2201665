"""A part of the network that is cut off from the loss."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.places import no_grad_around
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CutSeen, Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Parameters in a stepping optimizer that no backward ever reached, behind a line that leaves the
    graph; or a sample that others learn from, but not what it is drawn from.
    """
    best = max(seen.cuts, key=_blame, default=None)
    if best is not None and best.optimizer is not None:
        numbers = {"how": best.how, "parameters": best.parameters, "steps": best.optimizer.steps}
        place = no_grad_around(best.sites) if best.how == "no_grad" else None
        yield Evidence(place or best.sites[0], best.optimizer.site, numbers)


def _blame(c: CutSeen) -> tuple[float, ...]:
    """A line that comes just before the steps is to blame rather than one for the sake of another net."""
    return c.parameters, c.led > 0.25 * c.calls, c.how != "no_grad", -c.behind, c.calls


RULE = Rule(
    id="detached_graph",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("cuts", "optimizers"),
    decide=decide,
    unless=("detached_loss",),
    message=N_("{parameters} parameter tensors got no gradient through this {how} in {steps} steps."),
    why=N_(
        "The value leaves the graph here, so that backward can't go on to the layers that made it. They "
        "are in the "
        "optimizer, but they learn nothing from what comes after."
    ),
    fix=N_(
        "Pass the tensor on as it is: no detach, .data, numpy or torch.tensor between layers that "
        "should learn, and rsample() in place of sample()."
    ),
    wrong="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x)).detach()), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("walks the graph behind the first calls of detach, numpy and the like"),
)
