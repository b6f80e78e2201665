"""Graphs of past steps that something still holds."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.keeping import keeper
from treino.diagnosis.reading.places import FITS
from treino.diagnosis.reading.source import BACKWARD, called, statement_at
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Marks in the graphs of past backwards live on long after their step; a library that trains on its own
    may hold them for its own ends, as skorch's scores of an epoch do.
    """
    kept = [(b.site, b.kept, b.calls, False) for b in seen.backwards.values()]
    kept += [(call.site, call.kept, call.trained, True) for call in seen.calls]
    for site, alive, backwards, result in kept:
        place = keeper(site, result=result) if alive >= 3 else None
        # A few may live in a meter that is emptied after each epoch: where a line that keeps them is found.
        few = alive < 8 and (place is None or place == site or result or backwards < 12)
        if alive >= 3 and not few and not (place is site and _of_library(site)):
            yield Evidence(place, site, {"alive": alive, "backwards": backwards})
            return


def _of_library(site: Site | None) -> bool:
    """Whether a line has a library train: ``net.fit(x, y)``."""
    statement = statement_at(site) if site is not None else None
    return statement is not None and bool(called(statement, *FITS)) and not called(statement, *BACKWARD)


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
