"""Random changes to the rows of an evaluation."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.augmenting import MEANT, Changed, again_and_again, changed_by_hand, draws_on
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_train, says_validation, words
from treino.diagnosis.reading.noisy_items import flag_line, item_draw
from treino.diagnosis.reading.own_loaders import own_loader
from treino.diagnosis.reading.provenance import Function, dataset_line
from treino.diagnosis.reading.source import called, function_of
from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.overlap import learner
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.reads import ReadSeen
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.watch.tables import DataSeen, TrainSeen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same labels come with other rows at every evaluation, or the same line that changes rows of
    training at random changes those of the evaluation; views of one row that are averaged, rows that other
    layers make, and rows of other folds are something else.
    """
    for key, e in seen.data.evals.items() if seen.data is not None else ():
        train = seen.data.trains.get(key[0])
        if e.stable or 4 * e.other > e.changed or e.views or e.made or not e.names or train is None:
            continue
        if train.adversarial or train.inner:
            continue
        names = names_of_evaluation(e.names, e.spots)
        if says_train(names) and not says_test(names) and not says_validation(names):
            continue
        changed = e.changed >= 2 and e.luck <= 1e-3
        drawn = None if changed else _drawn(seen, e, train)
        if not changed and (drawn is None or MEANT & {w for n in names for w in words(n)}):
            continue
        what = _("they were different in each of {evaluations} evaluations, under the same labels")
        if drawn is not None:
            what = _("line {drawn} draws numbers for them, as for those of training")
        numbers = {"evaluations": len(e.phases), "changed": e.changed}
        line = drawn.draw if drawn is not None else 0
        what = what.format(evaluations=len(e.phases), drawn=line)
        place = drawn.site if drawn is not None else _place(e)
        yield Evidence(place, e.names[0], numbers | {"what": what, "drawn": line})
        return
    yield from _by_hand(seen)


def _by_hand(seen: Seen) -> Iterable[Evidence]:
    """A single look at test rows that the script's own function changes at random, as those of training."""
    data = seen.data
    for key, e in data.evals.items() if data is not None else ():
        train = data.trains.get(key[0])
        if e.views or e.made or not (e.names and e.judged) or e.stable or train is None or len(e.rows) < 10:
            continue
        names = names_of_evaluation(e.names, e.spots)
        if (
            train.adversarial
            or train.inner
            or not train.floating
            or MEANT & {w for n in names for w in words(n)}
        ):
            continue
        if not (says_test(names) or says_validation(names)) or e.phases & seen.seeded or _same_clean(data, e):
            continue
        found = changed_by_hand(e, list(data.trains.values())) or _by_own_loaders(e, train)
        if found is not None:
            what = _("line {drawn} draws numbers for them, as for those of training").format(drawn=found.draw)
            numbers = {"evaluations": len(e.phases), "changed": e.changed, "what": what, "drawn": found.draw}
            yield Evidence(found.site, e.names[0], numbers)
            return


def _by_own_loaders(e: EvalSeen, train: TrainSeen) -> Changed | None:
    """Datasets that change their rows at random, given out by loaders that the script has written itself."""
    held, learned = own_loader(e.names), train.loader or own_loader(train.way)
    if held is None or learned is None or held == learned:  # one line, that is handed the one and the other
        return None
    return item_draw(held, learned)


def _same_clean(data: DataSeen, e: EvalSeen) -> bool:
    """Whether rows with the same labels are looked at elsewhere, too: with and without changes, perhaps."""
    others = (o for o in data.evals.values() if o.names[:1] != e.names[:1])
    return any(o.labels == e.labels and o.first == e.first for o in others)


def _place(e: EvalSeen) -> Site:
    if e.loader is not None:
        return dataset_line(e.loader, _held_out)
    return next((site for site in e.names if draws_on(site)), e.names[0])


def _held_out(names: set[str]) -> bool:
    return says_test(names) or says_validation(names)


def _drawn(seen: Seen, e: EvalSeen, train: TrainSeen) -> Changed | None:
    """The line that draws for rows of training and of this evaluation, the only one of these rows."""
    train = learner(seen.data, train)
    reads, learning = e.reads, train.reads or _taught_by(seen.data, e)
    if reads is None or learning is None or reads is learning:
        return None
    masks = reads.together and learning.together and not e.labels
    labelled = len(e.labels) > 1 and sum(e.labels.values()) == e.first
    if not (masks or labelled) or e.phases & seen.seeded:
        return None
    if e.first_trained > 0.05 * e.first or any(
        o is not e and o.labels == e.labels and _clean(o) for o in seen.data.evals.values()
    ):
        return None
    if train.floating and not reads.other and not learning.other:
        both = sorted(reads.changed_at & learning.changed_at, key=lambda s: s.line)
        return Changed(flag_line(both[0]) or _place(e), both[0].line) if both else None
    once = (e.judged or e.goals.n) and len(e.phases) == 1 and not again_and_again(e)
    if not once or e.loader is None or train.loader is None or e.loader.file != train.loader.file:
        return None
    drawn = [r.other or (not train.floating and r.changed_at) for r in (reads, learning)]
    return item_draw(e.loader, train.loader) if all(drawn) else None


def _taught_by(data: DataSeen, e: EvalSeen) -> ReadSeen | None:
    """How the rows were read for which the same net gave another one what that learned from."""
    own = (o for o in data.evals.values() if o is not e and o.net is e.net and o.reads is not None)
    around = ((o, function_of(o.names[0])) for o in own if o.names and not o.judged)
    return next((o.reads for o, f in around if isinstance(f, Function) and called(f, "backward")), None)


def _clean(e: EvalSeen) -> bool:
    return not e.made and (e.stable > 0 or e.reads is None or not e.reads.changed_at)


RULE = Rule(
    id="augment_on_test",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    unless=("test_in_train",),  # the folds of one net come under labels in the same order
    message=N_("The evaluation rows are changed at random: {what}."),
    why=N_(
        "Random augmentation makes evaluation harder than the real rows are, and different each time. "
        "Figures of two epochs can't be compared."
    ),
    fix=N_(
        "Give the evaluation set its own transform without random parts (resize, centre crop, normalise)."
    ),
    wrong="""\
def augment(rows):
    return rows + 0.5 * torch.randn_like(rows)


x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(augment(x_train)), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(augment(x_test)).argmax(1) == y_test).float().mean()
""",
    right="""\
def augment(rows):
    return rows + 0.5 * torch.randn_like(rows)


x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(augment(x_train)), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        accuracy = (net(x_test).argmax(1) == y_test).float().mean()
""",
    cost=N_("hashes the rows and labels of evaluations"),
)
