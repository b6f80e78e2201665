"""A choice that was made on test figures."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence
from treino.diagnosis.reading import chosen_on_test, names_of_evaluation, says_test, says_validation
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.rows import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Test rows were evaluated again and again, the source keeps the best by that figure, and no other
    rows judge it.
    """
    evals = list(seen.data.evals.values()) if seen.data is not None else []
    tests = [e for e in evals if e.names and _is_test(e)]
    if sum(len(e.phases) for e in tests) < 2:
        return
    rows = set().union(*(e.rows for e in tests))
    others = [e for e in evals if e not in tests and e.names and e.rows - rows and not _trained(e)]
    if others:
        return
    for path in {e.names[0].file for e in tests}:
        lines = {site.line for e in tests for site in e.names if site.file == path}
        place = chosen_on_test(path, lines)
        if place is not None:
            numbers = {"evaluations": sum(len(e.phases) for e in tests), "rows": len(rows)}
            yield Evidence(place, tests[0].names[0], numbers)
            return


def _is_test(e: EvalSeen) -> bool:
    names = names_of_evaluation(e.names)
    return says_test(names) and not says_validation(names)


def _trained(e: EvalSeen) -> bool:
    return len(e.trained_before) > 0.5 * len(e.rows)


RULE = Rule(
    id="selection_on_test",
    group="settings",
    severity="risk",
    certain=False,
    watches=("data",),
    decide=decide,
    message=_(
        "The best was chosen by {evaluations} looks at the same {rows} test rows, and no other rows judge it."
    ),
    why=_(
        "The best of many looks is lucky on those rows: its figure there is too good, and nothing is left "
        "to measure by."
    ),
    fix=_("Choose on validation rows; look at the test rows once, at the end."),
    wrong="""\
x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
best_accuracy = 0.0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x_train), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        test_accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    if test_accuracy > best_accuracy:
        best_accuracy, best = test_accuracy, {k: v.clone() for k, v in net.state_dict().items()}
""",
    right="""\
x_train, y_train, x_val, y_val = x[:180], y[:180], x[180:], y[180:]
best_accuracy = 0.0
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x_train), y_train)
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        val_accuracy = (net(x_val).argmax(1) == y_val).float().mean().item()
    if val_accuracy > best_accuracy:
        best_accuracy, best = val_accuracy, {k: v.clone() for k, v in net.state_dict().items()}
""",
    cost=_("reads the source at the end; shares the hashed rows"),
)
