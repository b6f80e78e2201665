"""A choice that was made on test figures."""

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.ancestry import arguments, kept_as, parameters
from treino.diagnosis.reading.callbacks import chosen_within_fit
from treino.diagnosis.reading.choices import chosen_on_test
from treino.diagnosis.reading.chosen import chosen
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_validation
from treino.diagnosis.reading.provenance import data_names, target_names
from treino.diagnosis.reading.roles import alike, handed_as_any, handed_as_validation, taken_for_validation
from treino.diagnosis.reading.source import function_of, statement_at
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.seen import Seen
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Test rows were evaluated again and again, the source keeps the best by that figure, and no further
    rows judge it.
    """
    evals = [e for e in seen.data.evals.values() if e.names] if seen.data is not None else []
    within = chosen_within_fit(evals)
    if within is not None:
        e = within[1]
        yield Evidence(within[0], e.names[0], _numbers(len(e.phases), len(e.rows)))
        return
    found = _by_lines(evals)
    if found is None or not _on_the_way(found.edit, evals):
        nearer = replace(found, edit=_told(found.edit, evals, evals)) if found is not None else None
        found = _by_figures(seen, evals) or nearer or _of_parts(evals)
    if found is not None:
        handed = handed_as_any(found.edit) or _given_to_maker(found.edit) if found.edit is not None else None
        yield replace(found, edit=handed or found.edit)


def _given_to_maker(place: Site) -> Site | None:
    """Where the object around a line was given the rows of the test: ``BestModel(test_loader)``; for a line
    that does not say of which rows it speaks.
    """
    statement, method = statement_at(place), function_of(place)
    own = (
        [n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute)] if statement is not None else []
    )
    if says_test(set(own)):
        return None
    for step in (s for name in own for s in kept_as(name, place, method)):
        maker, value = function_of(step.site), step.value
        if isinstance(maker, ast.FunctionDef) and isinstance(value, ast.Name):
            given = arguments(place.file, maker, value.id) if value.id in parameters(maker) else []
            lines = {call.lineno for call, rows in given if _is_test(data_names(rows))}
            if len(lines) == 1:
                return Site(place.file, lines.pop())
    return None


def _on_the_way(place: Site | None, evals: list[EvalSeen]) -> bool:
    """Whether a line stands in a function that evaluates, not in a helper that is told of figures."""
    around = function_of(place) if place is not None else None
    return any(function_of(site) is around for e in evals for site in e.names)


def _by_figures(seen: Seen, evals: list[EvalSeen]) -> Evidence | None:
    found = chosen(seen.data, evals) if seen.data is not None else None
    if found is None:
        return None
    numbers = _numbers(found.looks, len(found.rows))
    taken = next((s for e in found.evals if (s := taken_for_validation(e)) is not None), None)
    place = _told(found.place, found.evals, evals)
    return Evidence(_handed(found.evals) or taken or place, found.evals[0].names[0], numbers)


def _by_lines(evals: list[EvalSeen]) -> Evidence | None:
    tests = [e for e in evals if _is_test(names_of_evaluation(e.names))]
    looks = sum(len(e.phases) for e in tests)
    if looks < 2 or not _again(tests):
        return None
    rows = set().union(*(e.rows for e in tests))
    for e in evals:
        judge = e not in tests and e.rows - rows and len(e.trained_before) <= 0.5 * len(e.rows)
        if judge and not says_validation(names_of_evaluation(e.names)):
            return None
    others = {site for e in evals if e not in tests for site in e.names}
    for path in {site.file for e in tests for site in e.names}:
        lines = {
            site.line
            for e in tests
            for site in e.names
            if site.file == path and site not in others and _is_test(names_of_evaluation((site,)))
        }
        place = chosen_on_test(path, lines, _lines_of_validation(evals, path) - lines)
        if place is not None:
            return Evidence(_handed(tests) or place, tests[0].names[0], _numbers(looks, len(rows)))
    return None


def _of_parts(evals: list[EvalSeen]) -> Evidence | None:
    """One table in one piece, as of a graph with masks: ``train_acc, test_acc = test()`` names figures."""
    for e in evals:
        if len(e.phases) < 3 or len(e.trained_before) < 0.9 * len(e.rows):
            continue
        for site in e.names:
            statement = statement_at(site)
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            named = {n for t in targets if isinstance(t, ast.Tuple) for n in target_names(t)}
            tested = {n: site.line for n in named if _is_test({n})}
            place = (
                chosen_on_test(site.file, set(), made=tested) if tested and tested.keys() < named else None
            )
            if place is not None:
                return Evidence(place, e.names[0], _numbers(len(e.phases)))
    return None


def _numbers(looks: int, rows: int = 0) -> dict[str, Any]:
    what = _("the same {rows} test rows").format(rows=rows) if rows else _("the same test rows")
    return {"evaluations": looks, "what": what} | ({"rows": rows} if rows else {})


def _told(place: Site | None, looks: list[EvalSeen], evals: list[EvalSeen]) -> Site | None:
    """Where a choice is made; for a helper that is told of figures, the innermost line on the way to its
    looks that itself says of which rows they are.
    """
    if _on_the_way(place, evals):
        return place
    again = [e for e in looks if len(e.phases) > 1 and _is_test(names_of_evaluation(e.names))]
    return next((s for e in again for s in e.names if _is_test(names_of_evaluation((s,)))), place)


def _again(tests: list[EvalSeen]) -> bool:
    """Whether test rows were looked at more than once: parts of one net that run after each other, as an
    encoder and its decoder do, look once.
    """
    return len(set().union(*(e.phases for e in tests))) > 1 or any(alike(e, o) for e in tests for o in tests)


def _handed(evals: list[EvalSeen]) -> Site | None:
    """Where rows of a test that was looked at again and again are handed over as those of validation."""
    return next((s for e in evals if len(e.phases) > 1 and (s := handed_as_validation(e)) is not None), None)


def _lines_of_validation(evals: list[EvalSeen], path: str) -> set[int]:
    """Lines that speak of validation, of those that led to an evaluation."""
    sites = {site for e in evals for site in e.names if site.file == path}
    return {s.line for s in sites if says_validation(names_of_evaluation((s,)))}


def _is_test(names: set[str]) -> bool:
    return says_test(names) and not says_validation(names)


RULE = Rule(
    id="selection_on_test",
    group="settings",
    severity="risk",
    certain=False,
    watches=("data",),
    decide=decide,
    message=N_("The best was chosen by {evaluations} looks at {what}, and no other rows judge it."),
    why=N_(
        "The best of many looks is lucky on those rows: its figure there is too good, and nothing is left "
        "to measure by."
    ),
    fix=N_("Choose on validation rows; look at the test rows once, at the end."),
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
    cost=N_("reads the source at the end; shares the hashed rows"),
)
