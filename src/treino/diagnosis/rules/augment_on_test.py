"""Random changes to the rows of an evaluation."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.provenance import dataset_line
from treino.diagnosis.reading import names_of_evaluation, says_test, says_train, says_validation
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.words import N_


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same labels come with other rows at every evaluation; views of one row that are averaged, rows
    that other layers make, and rows of other folds are something else.
    """
    for key, e in seen.data.evals.items() if seen.data is not None else ():
        train = seen.data.trains.get(key[0])
        if e.changed < 2 or e.stable or e.other or e.views or e.luck > 1e-3 or not e.names or train is None:
            continue
        if train.adversarial or train.inner:
            continue
        names = names_of_evaluation(e.names)
        if says_train(names) and not says_test(names) and not says_validation(names):
            continue
        place = dataset_line(e.loader) if e.loader is not None else e.names[0]
        yield Evidence(place, e.names[0], {"evaluations": len(e.phases), "changed": e.changed})
        return


RULE = Rule(
    id="augment_on_test",
    group="data",
    severity="wrong",
    certain=False,
    watches=("data",),
    decide=decide,
    message=N_(
        "The evaluation rows were different in each of {evaluations} evaluations, under the same labels."
    ),
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
