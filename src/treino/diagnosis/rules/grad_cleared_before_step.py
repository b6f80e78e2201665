"""Gradients that are cleared between backward and step."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.clearing import cleared_before_update, cleared_by_hand
from treino.diagnosis.reading.provenance import Function
from treino.diagnosis.reading.source import called, function_of, names_in, statement_at, tree
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.thrown import thrown_away, within_a_turn
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Most steps of an optimizer found every gradient that backward had written gone or zero; or those of
    most backwards between two steps; or weights that are moved by hand never move, since their gradients are
    cleared first.
    """
    for o in seen.optimizers:
        if o.cleared_steps >= 2 and o.cleared_steps * 2 > o.judged:
            numbers = {"optimizer": o.kind, "cleared": o.cleared_steps, "steps": o.judged}
            place = _handed(o.cleared_at) or o.cleared_at
            if o.stepped_at is not None and place == o.stepped_at:
                place = cleared_by_hand(o.filled_at, o.stepped_at) or place
            yield Evidence(place, o.stepped_at, numbers)
        elif thrown_away(o) and within_a_turn(seen, o):
            numbers = {"optimizer": o.kind, "cleared": sum(o.discarded.values()), "steps": o.filled}
            yield Evidence(_called_after(o), o.stepped_at, numbers)
        elif _steps_on_nothing(o):
            numbers = {"optimizer": o.kind, "cleared": o.idle_steps, "steps": o.judged}
            yield Evidence(_called_after(o), o.stepped_at, numbers)
    if seen.manual.stays() and not (seen.steps or seen.optimizers):
        busiest = max(seen.backwards.values(), key=lambda b: b.calls)
        place = cleared_before_update(busiest.site)
        if place is not None:
            numbers = {"optimizer": "tensors", "cleared": busiest.calls, "steps": busiest.calls}
            yield Evidence(place, busiest.site, numbers)


def _steps_on_nothing(o: OptimizerSeen) -> bool:
    """Whether the optimizer never has a gradient to step on: each was cleared, and another loss was run
    backward since.
    """
    lost = sum(o.discarded.values())
    return o.idle_steps >= 2 and o.idle_steps * 2 > o.judged and not o.used and lost * 2 > o.idle_steps


def _called_after(o: OptimizerSeen) -> Site | None:
    """Where gradients were cleared: of a helper that is called on several lines, the first call behind the
    backward that wrote them.
    """
    site, wrote = o.discarded_at, max(o.discarded, key=lambda s: o.discarded[s], default=None)
    around = function_of(site) if site is not None else None
    if site is None or wrote is None or not isinstance(around, Function) or wrote.file != site.file:
        return site
    calls = [Site(site.file, c.lineno) for c in called(tree(site.file) or around, around.name)]
    behind = [s for s in calls if s.line > wrote.line and function_of(s) is function_of(wrote)]
    alone = all(n.lineno >= site.line - 1 or _is_words(n) for n in around.body)
    return min(behind, key=lambda s: s.line) if len(calls) > 1 and behind and alone else site


def _handed(site: Site | None) -> Site | None:
    """The only line that hands ``zero_grad``, or a function that only clears, on uncalled: for a line that
    calls whatever it was handed.
    """
    module, statement = (tree(site.file), statement_at(site)) if site is not None else (None, None)
    if site is None or module is None or statement is None:
        return None
    around = function_of(site)
    clears = "zero_grad" in names_in(statement)
    alone = isinstance(around, Function) and all(n is statement for n in around.body if not _is_words(n))
    name = "zero_grad" if not clears else around.name if alone and isinstance(around, Function) else ""
    func = {id(n.func) for n in ast.walk(module) if isinstance(n, ast.Call)}
    nodes = [n for n in ast.walk(module) if isinstance(n, (ast.Name, ast.Attribute))]
    named = [n for n in nodes if name and name == (n.id if isinstance(n, ast.Name) else n.attr)]
    handed = [n.lineno for n in named if id(n) not in func]
    return Site(site.file, handed[0]) if len(handed) == len(named) == 1 else None


def _is_words(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


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
