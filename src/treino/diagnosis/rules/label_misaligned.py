"""Rows whose labels belong to other rows."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.order_flow import other_order
from treino.diagnosis.orders import lonely_order
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import Curve, curve
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, TrainSeen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same rows come with other labels in later epochs; or one array was permuted alone and the
    loss stays at chance.
    """
    data, main = seen.data, curve(seen)
    if data is None:
        return
    for t in data.trains.values():
        classes = len(t.labels_first)
        if t.repeated >= 40 and t.relabelled > 0.25 * t.repeated and 2 <= classes <= 100 and same_counts(t):
            yield Evidence(
                _place(data, t.site), t.site, {"rows": t.repeated, "other": t.relabelled, "loss": _last(main)}
            )
            return
    if main is None or not main.stuck(0.85) or main.site is None or len(main.values) < 20:
        return
    lengths = [n for _, n in data.shuffles]  # and the step: the same list is shuffled anew in each epoch
    twice = next((s for s, n in data.shuffles if lengths.count(n) >= 2), None)
    place = twice or lonely_order(main.site.file) or other_order(main.site.file)
    if place is not None:
        yield Evidence(place, main.site, {"rows": len(main.values), "other": 0, "loss": _last(main)})


def same_counts(t: TrainSeen) -> bool:
    """Labels come in the same shares as the first time: a permutation, not new labels."""
    first, later = sum(t.labels_first.values()), sum(t.labels_later.values())
    keys = set(t.labels_first) | set(t.labels_later)
    return all(abs(t.labels_first[k] / first - t.labels_later[k] / later) < 0.05 for k in keys)


def _place(data: DataSeen, site: Site | None) -> Site | None:
    if site is None:
        return None
    return lonely_order(site.file) or other_order(site.file, known=True) or site


def _last(main: Curve | None) -> float:
    return main.last() if main is not None else float("nan")


RULE = Rule(
    id="label_misaligned",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data", "losses"),
    decide=decide,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "Rows and labels are in different orders ({other} rows changed their label between epochs); the "
        "loss ends at {loss}."
    ),
    why=N_(
        "One of the two was shuffled without the other, so that each row is taught another row's label. "
        "There is nothing to learn but the classes' shares."
    ),
    fix=N_("Index rows and labels with the same permutation (or keep them in one Dataset)."),
    wrong="""\
x = x[torch.randperm(240)]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
order = torch.randperm(240)
x, y = x[order], y[order]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("remembers the label of each hashed row"),
)
