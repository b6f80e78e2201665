"""Evaluation that builds graphs which nobody uses."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.places import left_at_once
from treino.diagnosis.reading.source import called, function_of
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CallSeen, Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Again and again a trained net's output was judged, its graph built, and never run backward; or once,
    after a ``no_grad()`` that was made and left at once.
    """
    spoiled = seen.data is not None and seen.data.nan_hurt > 0  # a training may leave such batches out
    for modules in (True, False):  # what a module's call tells needs no number that was made of it
        own = [c for c in seen.calls if bool(c.net.name) == modules and not (spoiled and c.trained)]
        found = list(_unused([c for c in own if c.net.trained >= 2]))
        yield from found
        if found:
            return


def _unused(every: list[CallSeen]) -> Iterable[Evidence]:
    lines: dict[Site | None, list[CallSeen]] = {}
    for call in every:
        lines.setdefault(call.site, []).append(call)
    for site, calls in lines.items():
        unused, rows = sum(c.graph_unused for c in calls), sum(c.graph_rows for c in calls)
        big = rows >= 16 * unused or sum(c.unused_in_eval for c in calls) >= 3
        if sum(c.trained for c in calls) > 10 * unused:
            continue  # a training that leaves some batches out
        if not unused:
            continue
        place = _caller(site, calls)
        left, between = left_at_once(place), set().union(*(c.unused_at for c in calls)) - {0}
        # A figure at the end, of one large batch or a few, by a net that was set to evaluate.
        set_aside = rows >= 40 * unused and sum(c.unused_in_eval for c in calls) == unused
        if left is not None or set_aside or (big and (unused >= 3 or len(between) >= 2)):
            yield Evidence(left or place, site, {"calls": unused, "rows": rows})


def _caller(site: Site | None, calls: list[CallSeen]) -> Site | None:
    """The line of the evaluation: where a helper calls the net for training too, that which calls it."""
    around = function_of(site) if site is not None else None
    outer = next((c.unused_by[1] for c in calls if len(c.unused_by) > 1), None)
    if not isinstance(around, ast.FunctionDef) or called(around, "backward"):
        return site
    return outer if outer is not None and any(c.trained for c in calls) else site


RULE = Rule(
    id="missing_no_grad",
    group="modes",
    severity="waste",
    certain=True,
    watches=("calls", "data"),
    decide=decide,
    message=N_("{calls} evaluations ({rows} rows) recorded a graph that was never used."),
    why=N_(
        "Outside torch.no_grad() every operation is recorded for a backward that never comes. The "
        "results are the "
        "same, but memory and time are spent on it."
    ),
    fix=N_("Evaluate inside with torch.no_grad(): (or torch.inference_mode())."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    right="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x[:200]), y[:200])
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
""",
    cost=N_("shares the calls of nets with missing_eval"),
)
