"""Rows whose labels belong to other rows."""

from collections.abc import Iterable
from typing import Any

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.collating import torn_batch, torn_parts, unrestored
from treino.diagnosis.reading.collected import collected_apart
from treino.diagnosis.reading.drawn_apart import drawn_apart
from treino.diagnosis.reading.grouped import grouped_apart
from treino.diagnosis.reading.lost_order import cut_without_order, lost_order
from treino.diagnosis.reading.order_flow import other_order, text_order
from treino.diagnosis.reading.orders import filtered_alone, labels_built, lonely_order, part_alone
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.curves import Curve, curve
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, Told, TrainSeen, chance
from treino.words import N_, _, numeral

MOST = 8  # nets whose rows are held against their labels


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same rows come with other labels in later epochs; or one array was put into another order alone.
    In both cases nothing is learned: the loss stays at chance, or what is said of new rows does; or the rows
    that were learned tell nothing of their labels, which a large net knows by heart.
    """
    data: DataSeen | None = seen.data
    main = curve(seen)
    if data is None:
        return
    for t in data.trains.values():
        if relabelled(t) and not learns(t, data, main):
            what = _("{other} of {rows} rows came with another label later on")
            numbers: dict[str, Any] = {"rows": t.told.again, "other": t.told.other}
            numbers["what"] = what.format(**numbers)
            yield Evidence(_place(t), t.site, numbers)
            return
    loose = next((t for t in list(data.trains.values())[:MOST] if t.labelled.unrelated()), None)
    told = main is not None and main.site is not None and len(main.values) >= 20
    site = main.site if told and main is not None else loose.site if loose is not None else None
    if site is None or labels_built(site.file) or not (told or (loose and loose.net.trained >= 20)):
        return
    file, stuck = site.file, told and main is not None and main.stuck(0.85)
    held = [e.unseen() for e in data.evals.values()]
    guessed = loose is not None or any(map(guesses, held))
    nearly = stuck or guessed or any(guesses(e, 0.1) for e in held)
    alone = part_alone(file) if nearly else None
    if alone is None and (nearly or _falls_behind(data)):
        alone = collected_apart(file)
    if not (stuck or guessed or alone):
        return
    place = text_order(file) or next(filter(None, map(_torn, data.trains.values())), None)
    if place is None and stuck:
        lengths = [n for _, n in data.shuffles]  # and the step: the same list is shuffled anew in each epoch
        place = next((s for s, n in data.shuffles if lengths.count(n) >= 2), None)
    if place is None:  # a large net learns labels of other rows by heart
        place = drawn_apart(file) or alone or lonely_order(file) or other_order(file)
        place = place or unrestored(file) or filtered_alone(file) or grouped_apart(file) or torn_parts(file)
        place = place or lost_order(file) or cut_without_order(file)
    if place is not None:
        yield Evidence(place, site, _known_by(main, loose))


def relabelled(t: TrainSeen) -> bool:
    """Whether rows came again with labels of other rows: neither rows that are equal by chance, nor tasks
    that name their classes anew.
    """
    told = t.told
    if told.again < 40 or told.other <= 0.25 * told.again or not 2 <= len(told.first) <= 100:
        return False
    if chance(t) > 0.01 or (told.torn > 2 and not t.floating):
        return False
    several = len(t.rows) > 1.5 * sum(n for _, n in told.counts)
    tasks = told.alike and told.batches >= 8 and several  # each batch has so many rows of each class
    return same_counts(told) and not tasks


def same_counts(told: Told) -> bool:
    """Labels come in the same shares as the first time: a permutation, not new labels."""
    first, later = sum(told.first.values()), sum(told.later.values())
    keys = set(told.first) | set(told.later)
    return all(abs(told.first[k] / first - told.later[k] / later) < 0.05 for k in keys)


def learns(t: TrainSeen, data: DataSeen, main: Curve | None) -> bool:
    """Whether a net comes to know the labels that it is given, or those of new rows, beyond chance."""
    if main is not None and len(main.values) >= 12 and not main.by_hand and not main.stuck(0.85):
        return True
    common = max(t.told.first.values(), default=0) / max(1, sum(t.told.first.values()))
    known = [e for e in data.evals.values() if e.net is t.net and e.judged >= 50]
    return t.right > 1.3 * common * t.judged or any(e.right > 1.3 * common * e.judged for e in known)


def guesses(e: EvalSeen, beyond: float = 0.0) -> bool:
    """Whether what is said of new rows is right no more often than the commonest answer would be, or for no
    more than this share of those that it gets wrong.
    """
    total, few = sum(e.labels.values()), len(e.labels)
    if e.judged < 40 or not 2 <= few <= 50 or total != e.first or len(e.trained_before) > 0.1 * len(e.rows):
        return False
    common = max(e.labels.values()) / total
    luck = (common * (1 - common) / e.judged) ** 0.5
    return bool(e.right / e.judged < common + max(luck, beyond * (1 - common)))


def _falls_behind(data: DataSeen) -> bool:
    """Whether one net is right for the same rows half as often as another, as a student and its teacher."""
    told = [e for e in data.evals.values() if e.judged >= 40 and e.right and len(e.labels) > 1]
    shares = [(e.right / e.judged, e) for e in told]
    return any(a < 0.6 * b and one.labels == other.labels for a, one in shares for b, other in shares)


def _torn(t: TrainSeen) -> Site | None:
    return torn_batch(t.loader)


def _place(t: TrainSeen) -> Site | None:
    if t.site is None:
        return None
    file = t.site.file
    alone = drawn_apart(file) or lonely_order(file) or other_order(file, known=True)
    return torn_batch(t.loader) or alone or t.site


def _known_by(main: Curve | None, loose: TrainSeen | None) -> dict[str, Any]:
    """The numbers that say so: of the rows themselves, or else of the loss."""
    if loose is not None or main is None:
        rows = loose.labelled.count if loose is not None else 0
        what = _("neither the nearest row nor a linear fit tells the label, of {rows} rows")
        return {"rows": rows, "other": 0, "what": what.format(rows=rows)}
    loss = numeral(main.last(), ".4g")
    what = _("nothing was learned that holds for new rows; the loss ends at {loss}")
    return {"rows": len(main.values), "other": 0, "loss": main.last(), "what": what.format(loss=loss)}


RULE = Rule(
    id="label_misaligned",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data", "losses"),
    decide=decide,
    unless=(
        *("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
        *("sigmoid_before_bce_with_logits", "softmax_before_cross_entropy", "softmax_wrong_dim"),
        *("symmetric_init", "params_not_in_optimizer"),
    ),
    message=N_("Rows and labels are in different orders: {what}."),
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
