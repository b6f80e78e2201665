"""Graphs of past steps that something still holds."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.where.edit import BACKWARD
from treino.diagnosis.where.kept import kept
from treino.diagnosis.where.settings import FITS
from treino.diagnosis.where.source import calls, written_on
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """Marks in the graphs of past backwards live on long after their step; a library that trains on its own
    may hold them for its own ends, as skorch's scores of an epoch do.
    """
    held = [(b.site, b.kept, b.calls, False) for b in seen.backwards.values()]
    held += [(call.site, call.kept, call.trained, True) for call in seen.calls]
    for site, alive, backwards, result in held:
        edit = kept(site, result=result) if alive >= 3 else None
        # A few may live in a meter that is emptied after each epoch: where a line that keeps them is found.
        few = alive < 8 and (edit is None or edit == site or result or backwards < 12)
        if alive >= 3 and not few and not (edit is site and _of_library(site)):
            yield Evidence(edit, site, {"alive": alive, "backwards": backwards})
            return


def _of_library(site: Site | None) -> bool:
    """Whether a line has a library train: ``net.fit(x, y)``."""
    return bool(calls(written_on(site), *FITS)) and not calls(written_on(site), *BACKWARD)


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
