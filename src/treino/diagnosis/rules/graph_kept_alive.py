"""Graphs of past steps that something still holds."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading.keeping import keeper
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Marks in the graphs of past backwards live on long after their step."""
    for b in seen.backwards.values():
        if b.kept >= 8:
            yield Evidence(keeper(b.site), b.site, {"alive": b.kept, "backwards": b.calls})
            return
    for call in seen.calls:
        if call.kept >= 8:
            yield Evidence(
                keeper(call.site, result=True), call.site, {"alive": call.kept, "backwards": call.trained}
            )
            return


RULE = Rule(
    id="graph_kept_alive",
    group="modes",
    severity="waste",
    certain=True,
    watches=("backwards",),
    decide=decide,
    early=True,
    message=N_("The graphs of {alive} past losses or outputs are still alive ({backwards} backwards)."),
    why=N_(
        "A loss that is summed or stored as a tensor holds its whole graph, so that memory grows with "
        "every step. "
        "Only its value is wanted."
    ),
    fix=N_("Store the number: total += loss.item() (or loss.detach())."),
    wrong="""\
total = 0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    total += loss
""",
    right="""\
total = 0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    total += loss.item()
""",
    cost=N_("one mark in each loss's graph"),
)
