"""A part of the network that is cut off from the loss."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CutSeen, Seen
from treino.diagnosis.where.bindings import parameters
from treino.diagnosis.where.calls import call_sites
from treino.diagnosis.where.edit import no_grad_around, sole_call
from treino.diagnosis.where.flow import origins
from treino.diagnosis.where.source import Function, calls, function, written_on
from treino.diagnosis.where.source import place as line_of
from treino.words import N_

LETS_GO = ("detach", "numpy", "tolist", "cpu", "detach_")
FLAT = ("round", "div", "sign", "floor", "ceil", "trunc", "bernoulli", "poisson")


def decide(seen: Seen) -> Iterable[Evidence]:
    """Parameters in a stepping optimizer that no backward ever reached, behind a line that leaves the
    graph; or a sample that others learn from, but not what it is drawn from.
    """
    best = max(seen.cuts, key=_blame, default=None)
    if best is not None and best.optimizer is not None:
        numbers = {"how": best.how, "parameters": best.parameters, "steps": best.optimizer.steps}
        yield Evidence(place(best), best.optimizer.site, numbers)


def place(cut: CutSeen) -> Site | None:
    """The ``no_grad`` around, or the line that lets go; of a helper which is there to do so, its caller."""
    if cut.how == "no_grad":
        return no_grad_around(cut.sites) or cut.sites[0]
    if cut.how in FLAT:
        return sole_call(cut.sites[0], cut.how, cut.how + "_")
    return _asked_for(cut.sites) or cut.sites[0]


def _asked_for(sites: tuple[Site, ...]) -> Site | None:
    """The line that gives a value to a helper that lets go of it, and has other callers too; or None."""
    helper, path = function(sites[0]), sites[0].file
    if not isinstance(helper, Function):
        return None
    led = {c.lineno for c, _ in call_sites(path, helper)}
    caller = next((s for s in sites[1:] if function(s) is not helper), None)
    if caller is None and len(led) == 1:
        caller = line_of(path, ast.Pass(), min(led))  # a helper that calls itself, for what is nested
    given = {*parameters(helper)} - {"self", "cls"}
    lets_go = calls(written_on(sites[0]), *LETS_GO)
    of = [c.func.value for c in lets_go if isinstance(c.func, ast.Attribute)]
    plain = any(getattr(s.node, "id", "") in given for n in of for s in origins(sites[0], n) if s.stack == ())
    return caller if plain and len(led) > 1 else None


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
