"""Evaluation that builds graphs which nobody uses."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import CallSeen, Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Again and again a trained net's output was judged, its graph built, and never run backward."""
    lines: dict[Site | None, list[CallSeen]] = {}
    for call in seen.calls:
        if call.net.trained >= 2:
            lines.setdefault(call.site, []).append(call)
    for site, calls in lines.items():
        unused, rows = sum(c.graph_unused for c in calls), sum(c.graph_rows for c in calls)
        big = rows >= 16 * unused or sum(c.unused_in_eval for c in calls) >= 3
        if sum(c.trained for c in calls) > 10 * unused:
            continue  # a training that leaves some batches out
        if unused >= 3 and big:
            yield Evidence(site, site, {"calls": unused, "rows": rows})


RULE = Rule(
    id="missing_no_grad",
    group="modes",
    severity="waste",
    certain=True,
    watches=("calls",),
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
