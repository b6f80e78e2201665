"""A part of the network that is cut off from the loss."""

import ast
import re
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.places import no_grad_around
from treino.diagnosis.reading.provenance import target_names
from treino.diagnosis.reading.source import call_name, called, function_of, names_in, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CutSeen, Seen
from treino.words import N_

LETS_GO = ("detach", "numpy", "tolist", "cpu", "detach_")
FLAT = ("round", "div", "sign", "floor", "ceil", "trunc", "bernoulli", "poisson")
SAYS = re.compile(
    r"detach|repackag|stop_?grad|freeze|frozen|truncat|unlink|sever|numpy|(^|_)np($|_)", re.IGNORECASE
)


def decide(seen: Seen) -> Iterable[Evidence]:
    """Parameters in a stepping optimizer that no backward ever reached, behind a line that leaves the
    graph; or a sample that others learn from, but not what it is drawn from.
    """
    best = max(seen.cuts, key=_blame, default=None)
    if best is not None and best.optimizer is not None:
        numbers = {"how": best.how, "parameters": best.parameters, "steps": best.optimizer.steps}
        place = no_grad_around(best.sites) if best.how == "no_grad" else _asked_for(best.sites)
        place = _only_call(best.sites[0], best.how) if best.how in FLAT else place
        yield Evidence(place or best.sites[0], best.optimizer.site, numbers)


def _only_call(site: Site, how: str) -> Site | None:
    """The one call of this name in the file, where the line itself only makes the layer that does so."""
    module, statement = tree(site.file), statement_at(site)
    names = (how, how + "_")
    if module is None or statement is None or called(statement, *names):
        return None
    lines = {c.lineno for c in called(module, *names)}
    return Site(site.file, lines.pop()) if len(lines) == 1 else None


def _asked_for(sites: tuple[Site, ...]) -> Site | None:
    """The line that gives a value to a helper which is there to let go of values: it says so, or has other
    callers too. None where the line that lets go stands in no such helper.
    """
    helper, module = function_of(sites[0]), tree(sites[0].file)
    caller = next((s for s in sites[1:] if function_of(s) is not helper), None)
    if not isinstance(helper, ast.FunctionDef) or module is None:
        return None
    called_at = {c.lineno for c in called(module, helper.name) if not _within(helper, c.lineno)}
    if caller is None and len(called_at) == 1:
        caller = Site(sites[0].file, min(called_at))  # a helper that calls itself, for what is nested
    if caller is None:
        return None
    given = {a.arg for a in (*helper.args.posonlyargs, *helper.args.args)} - {"self"}
    looped = [n for n in ast.walk(helper) if isinstance(n, (ast.For, ast.comprehension))]
    given |= set().union(*(target_names(n.target) for n in looped if names_in(n.iter) & given))
    calls = [c for c in ast.walk(helper) if isinstance(c, ast.Call) and call_name(c) in LETS_GO]
    of = [c.func.value if isinstance(c.func, ast.Attribute) else None for c in calls]
    plain = [n for n in of if isinstance(n, ast.Name) and n.id in given]
    says = SAYS.search(helper.name) is not None
    return caller if plain and (says or len(called_at) > 1) else None


def _within(function: ast.FunctionDef, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or 0)


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
    unless=("detached_loss", "grad_cleared_before_step"),
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
