"""Evaluation that builds graphs which nobody uses."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Again and again a trained net's output was judged, its graph built, and never run backward."""
    for call in seen.calls:
        big = call.graph_rows >= 16 * call.graph_unused or call.unused_in_eval >= 3
        if call.trained > 10 * call.graph_unused:
            continue  # a training that leaves some batches out
        if call.graph_unused >= 3 and call.net.trained >= 2 and big:
            yield Evidence(call.site, call.site, {"calls": call.graph_unused, "rows": call.graph_rows})


RULE = Rule(
    id="missing_no_grad",
    group="modes",
    severity="waste",
    certain=True,
    watches=("calls",),
    decide=decide,
    message=_("{calls} evaluations ({rows} rows) recorded a graph that was never used."),
    why=_(
        "Outside torch.no_grad() every operation is recorded for a backward that never comes. The "
        "results are the "
        "same, but memory and time are spent on it."
    ),
    fix=_("Evaluate inside with torch.no_grad(): (or torch.inference_mode())."),
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
    cost=_("shares the calls of nets with missing_eval"),
)
