"""Which part of the rows an evaluation looks at: as names, words and defaults on its way say, and as other
evaluations of the same rows do.
"""

import ast
import re
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import CONVERSIONS, arguments, defaults, makers, parameters
from treino.diagnosis.reading.figures import COMPREHENSIONS
from treino.diagnosis.reading.names import names_of_evaluation, says_test, says_train, says_validation, words
from treino.diagnosis.reading.provenance import HOLDERS, Function, data_names, functions, target_names
from treino.diagnosis.reading.source import (
    call_at,
    call_name,
    enclosing,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.watch.eval_seen import EvalSeen

TURNS = (["step"], ["epoch"], ["loop"])  # ``validation_step`` is called for the rows of a test, too
ALIKE = 0.98  # of the rows of two evaluations that look at the same part


def roles(evals: list[EvalSeen]) -> dict[int, str]:
    """ "test", "validation", "train" or "", for the id of each evaluation."""
    found = {id(e): _said(e) for e in evals}
    for e in evals:
        if found[id(e)] == "validation" and any(found[id(o)] == "test" and alike(e, o) for o in evals):
            found[id(e)] = "test" if taken_for_validation(e) is not None else "validation"
    for e in evals:
        if found[id(e)] in ("", "test"):
            same = {found[id(o)] for o in evals if alike(e, o)}
            if "validation" in same:
                found[id(e)] = ""
    tests = [e for e in evals if found[id(e)] == "test"]
    for e in evals:
        if not found[id(e)] and any(alike(e, o) for o in tests):
            unsaid = {found[id(o)] for o in evals if alike(e, o)} <= {"", "test"}
            found[id(e)] = "test" if unsaid else ""
    return found


def _said(e: EvalSeen) -> str:
    names = names_of_evaluation(e.names, e.spots).union(*(_words(e, i) for i in range(len(e.names))))
    rows = {n for n in names if words(n)[-1:] not in TURNS}
    names = rows if says_test(rows) or says_validation(rows) else names
    test, validation = says_test(names), says_validation(names)
    trained = len(e.trained_before) / max(1, len(e.rows))
    if (test and validation) or 0.1 < trained < 0.9:  # one part after the other
        return ""
    if trained >= 0.9:
        return "train"
    return "test" if test else "validation" if validation else "train" if says_train(names) else ""


def told_at(e: EvalSeen, call: ast.Call) -> Site | None:
    """The line that says which rows are evaluated: that of a call, or one that it leads to."""
    runs = [call_at(site, spot) for site, spot in zip(e.names, e.spots, strict=False)]
    first = next((i for i, run in enumerate(runs) if run is call), 0)
    for i in range(first, -1, -1):
        if says_test(names_of_evaluation(e.names[i : i + 1], e.spots[i : i + 1]) | _words(e, i)):
            return e.names[i]
    return None


def handed_at(e: EvalSeen, call: ast.Call) -> Site | None:
    """The line that led to a call, the nearest one, which says that test rows are handed over."""
    runs = [call_at(site, spot) for site, spot in zip(e.names, e.spots, strict=False)]
    first = next((i for i, run in enumerate(runs) if run is call), len(runs))
    for i in range(first + 1, len(runs)):
        run = runs[i]
        given = [*run.args, *(k.value for k in run.keywords)] if run is not None else []
        if says_test(set().union(*(data_names(a) for a in given))):
            return e.names[i]
    return None


def handed_as_validation(e: EvalSeen) -> Site | None:
    """The line that hands test rows over as those to choose by: on the way to an evaluation, or where the
    object is made that looks at them.
    """
    path = e.names[0].file
    around = [f for s in e.names if isinstance(f := function_of(s), Function)]
    for function in (*around, *functions(path, "__init__")):
        for name in (n for n in parameters(function) if says_validation({n})):
            for call, value in arguments(path, function, name):
                names = data_names(value)
                led = function.name == "__init__" or call.lineno in {s.line for s in e.names}
                if led and says_test(names) and not says_validation(names):
                    return Site(path, call.lineno)
    return None


def handed_as_any(place: Site) -> Site | None:
    """The only line that hands test rows to the function in which the choice is made, under a name that says
    nothing, where the file has rows of validation as well: ``fit(loaders["train"], loaders["test"])``.
    """
    around, module = function_of(place), tree(place.file)
    if not isinstance(around, Function) or module is None:
        return None
    tables = (n for n in ast.walk(module) if isinstance(n, ast.Dict))
    if not says_validation(names_in(module) | {_word(k) for t in tables for k in t.keys if k is not None}):
        return None
    own = parameters(around)
    if says_test({*own}) or says_validation({*own}):
        return None
    said = {
        call.lineno
        for name in own
        for call, value in arguments(place.file, around, name)
        if says_test(data_names(value) | _keys(value))
    }
    return Site(place.file, min(said)) if len(said) == 1 else None


def _keys(value: ast.AST) -> set[str]:
    """``loaders["test"]``"""
    keys = (n.slice for n in ast.walk(value) if isinstance(n, ast.Subscript))
    return {k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}


def taken_for_validation(e: EvalSeen) -> Site | None:
    """The line that makes rows of validation out of those of a test, for an evaluation that calls its rows
    validation: ``val_set = test_set``, ``"val": DataLoader(test_set)``.
    """
    module = tree(e.names[0].file)
    if module is None or _said(e) != "validation":
        return None
    made = list(_named_rows(module))
    for name, value in made:
        said = _rows_said(value)
        if says_validation({name}) and says_test(said) and not says_validation(said):
            return Site(e.names[0].file, value.lineno)
    tests = {ast.dump(value) for name, value in made if says_test({name}) and not says_validation({name})}
    both = (v for name, v in made if says_validation({name}) and not says_test({name}))
    return next((Site(e.names[0].file, v.lineno) for v in both if ast.dump(v) in tests), None)


def _named_rows(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) wherever rows, or what holds them, are given a name: in an assignment, as an entry of a
    table, by a function that returns them.
    """
    found: list[tuple[str, ast.expr]] = []
    for node in ast.walk(module):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                found += [(" ".join(target_names(t)) or _word(t), v) for t, v in pairs]
                if isinstance(target, ast.Subscript):
                    found.append((_word(target.slice), node.value))
        elif isinstance(node, ast.Dict):
            found += [(_word(k), v) for k, v in zip(node.keys, node.values, strict=True) if k is not None]
        elif isinstance(node, ast.Call) and call_name(node) == "dict":
            found += [(k.arg or "", k.value) for k in node.keywords]
        elif isinstance(node, Function):
            given = (n.value for n in ast.walk(node) if isinstance(n, ast.Return))
            found += [(node.name, v) for v in given if v is not None]
    for name, value in found:
        calls = [n for n in ast.walk(value) if isinstance(n, ast.Call)]
        if name and data_names(value) and all(_hands_on(module, c) for c in calls):
            yield name, value


def _hands_on(module: ast.Module, call: ast.Call) -> bool:
    """Whether a call only holds rows: a dataset, a loader, a method of the file that is given no more."""
    own = not (call.args or call.keywords) and bool(names_in(call.func))
    return own or call_name(call) in (*HOLDERS, *CONVERSIONS) or "oader" in call_name(call)


def _rows_said(value: ast.AST) -> set[str]:
    """Names and words of rows in an expression, those of their numbers, too."""
    said = {n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    said |= {call_name(n) for n in ast.walk(value) if isinstance(n, ast.Call)}
    return {re.sub("mask|idx|index|indices", "rows", n) for n in data_names(value) | said}


def _words(e: EvalSeen, i: int) -> set[str]:
    """Words that the call on a line of the way is given: ``score("test")``, or by default."""
    call = call_at(e.names[i], e.spots[i]) if i < len(e.spots) else None
    if call is None:
        return set()
    given: list[ast.AST] = [*call.args, *(k.value for k in call.keywords)]
    found = {
        n.slice.value  # parts["test"]
        for a in given
        for n in ast.walk(a)
        if isinstance(n, ast.Subscript)
        and isinstance(n.slice, ast.Constant)
        and isinstance(n.slice.value, str)
    }
    if isinstance(statement_at(e.names[i]), (ast.If, ast.While)):
        for node in (n for a in given for n in ast.walk(a)):
            found |= {str(getattr(node, "id", "")), str(getattr(node, "attr", ""))}
    called = function_of(e.names[i - 1]) if i else None
    if isinstance(called, Function):
        plain = [a.arg for a in (*called.args.posonlyargs, *called.args.args)]
        method = isinstance(call.func, ast.Attribute) and plain[:1] in (["self"], ["cls"])
        told = {*plain[: len(call.args) + method], *(k.arg for k in call.keywords)}
        given += [d for name, values in defaults(called).items() if name not in told for d in values]
    return found | {a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)}


def shows_known_parts(e: EvalSeen) -> bool:
    """Whether an evaluation goes through parts each of which is said to be one of training, validation or
    test: ``for name in ("train", "valid", "test")``. What is new to it there are rows of validation.
    """
    for site in e.names:
        for node in enclosing(site):
            loops: list[ast.For] | list[ast.comprehension] = []
            if isinstance(node, ast.For):
                loops = [node]
            elif isinstance(node, COMPREHENSIONS):
                loops = node.generators
            for names in ([{n} for n in _listed(loop.iter, site)] for loop in loops):
                known = all(says_train(n) or says_validation(n) or says_test(n) for n in names)
                if known and any(map(says_validation, names)) and any(map(says_test, names)):
                    return True
    return False


def _listed(value: ast.AST, place: Site, deep: int = 5) -> list[str]:
    """The words that name what a loop runs over, one for each; empty where one of them is not known."""
    if deep == 0:
        return []
    parts: list[ast.AST] = []
    if isinstance(value, ast.Dict):
        parts = [k for k in value.keys if k is not None]
    elif isinstance(value, (ast.Tuple, ast.List)):
        parts = [e.elts[0] if isinstance(e, ast.Tuple) and e.elts else e for e in value.elts]
    if parts:
        said = [_word(part) for part in parts]
        return said if all(said) else []
    following: ast.AST | None = None
    if isinstance(value, ast.Call) and call_name(value) == "dict" and value.keywords:
        return [k.arg or "" for k in value.keywords]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        following = value.func.value if value.func.attr in ("items", "keys", "values") else None
    elif isinstance(value, ast.Call) and call_name(value) in ("zip", "enumerate", "list", "tuple", "sorted"):
        following = value.args[0] if value.args else None
    elif isinstance(value, COMPREHENSIONS):
        following = value.generators[0].iter
    elif isinstance(value, ast.Name):
        made = next(iter(makers(value.id, place)), None)
        return _listed(made.value, made.site, deep - 1) if made is not None else []
    return _listed(following, place, deep - 1) if following is not None else []


def _word(node: ast.AST) -> str:
    """What a literal, a name or an attribute is called: "test", test_loader, self.test."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def alike(e: EvalSeen, o: EvalSeen) -> bool:
    """Whether two evaluations look at the same rows."""
    return e is not o and bool(e.rows) and len(e.rows & o.rows) >= ALIKE * max(len(e.rows), len(o.rows))


def changed_from(e: EvalSeen, o: EvalSeen) -> bool:
    """Whether an evaluation looks at the test rows of another once they were changed, as by an attack: as
    many, with the same labels, and made of what is said to be for the test.
    """
    if not e.labels or e.labels != o.labels or e.first != o.first:
        return False
    named = ((name, s) for s in e.names if (line := statement_at(s)) is not None for name in data_names(line))
    made = (step.value for name, s in named for step in makers(name, s))
    return any(says_test(_rows_said(value)) for value in made)
