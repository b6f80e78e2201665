"""Decide from the source whether a metric of an evaluation decides which weights or settings are kept.

Only names in the source show that rows are a test set.
"""

import ast
from itertools import islice, zip_longest

from treino_doctor.finding import Site
from treino_doctor.places import source
from treino_doctor.places.back import values
from treino_doctor.places.bindings import parameters
from treino_doctor.places.placement import innermost_function, trail

# Names for the rows of the final test, for validation rows and for training rows.
TEST = frozenset(("test", "te", "tst", "testing", "holdout", "heldout", "prueba", "teste", "prova"))
VALIDATION = frozenset(("val", "valid", "validation", "dev", "validacion", "validacao", "vld"))
TRAIN = frozenset(("train", "tr", "training", "trn", "fit"))
BEST = ("max", "min", "sorted", "argmax", "argmin", "nanargmax", "nanargmin", "idxmax", "idxmin", "sort")
ORDERS = (ast.Lt, ast.Gt, ast.LtE, ast.GtE)
NUMBERS = {"item", "float", "min", "max"}  # functions of which a number that is noted may be the result
STEPS = 40  # maximum number of steps followed back from a net's input
ROUNDS = 6  # rounds of following a metric to the names that hold it


def naming_line(sites: tuple[Site, ...], vocabulary: frozenset[str]) -> Site | None:
    """The innermost of these lines that passes on a value whose name has a word of the vocabulary; else the
    line that gave such a name to an input of the innermost line. None if a function's argument has such a
    name, and the call passes training rows alone."""
    for site, call in zip_longest(sites, sites[1:]):
        named, inside = {n for n in _names_passed(site) if _says(n, vocabulary)}, innermost_function(site)
        given = _names_passed(call) if call and inside and named <= {*parameters(inside)} else set()
        words = [of for of in (TEST, VALIDATION, TRAIN) if any(_says(name, of) for name in given)]
        if named:
            return site if words != [TRAIN] else None
    for step in islice(trail(sites[0], None, sites), STEPS) if sites else ():
        if isinstance(step.node, (ast.Name, ast.Attribute)) and _says(source.name_of(step.node), vocabulary):
            return step.site
    return None


def renamed_line(sites: tuple[Site, ...], loader: Site | None) -> Site | None:
    """The line where test rows, passed on whole, get another name: that of a loader that is made of them, or
    of a table behind the inputs of the innermost line."""
    if loader is not None:
        named = _names_passed(loader)
        others = any(_says(name, VALIDATION | TRAIN) for name in named)
        return loader if any(_says(name, TEST) for name in named) and not others else None
    statement = source.statement(sites[0]) if sites else None
    inputs = (
        [v for c in source.calls(_head(statement)) for v in source.argument_values(c)] if statement else []
    )
    for way in (way for value in inputs for way in values(sites[0], value, sites)):
        for step in way:
            if isinstance(step.node, (ast.Name, ast.Attribute)) and _says(source.name_of(step.node), TEST):
                return step.site
    return None


def _says(name: str, vocabulary: frozenset[str]) -> bool:
    """Whether a name has such a word, even joined as in ``testloader`` or ``Xtest``, and none for others."""
    parts = set(source.words(name))
    stems = {name.lower().removesuffix(end) for end in ("loader", "set", "data", "dl", "ds")}
    stems |= {name.lower().removeprefix(letter) for letter in "xy"}
    return bool(vocabulary & (parts | stems)) and not (parts & (TEST | VALIDATION | TRAIN) - vocabulary)


def _names_passed(site: Site) -> set[str]:
    """The names in the arguments of a line's calls and in the iterables of the loops around it."""
    node = source.statement(site)
    passed: set[str] = set()
    for call in source.calls(_head(node)) if node is not None else ():
        for value in source.argument_values(call):
            passed |= source.names(value)
            key = value.slice if isinstance(value, ast.Subscript) else value  # data["test"]
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isalpha():
                passed.add(key.value)
    for around in source.loops(site):
        if isinstance(around, ast.For):
            passed |= source.names(around.iter)
    return passed


def _head(node: ast.AST) -> list[ast.AST]:
    """The parts of a statement outside its body."""
    heads = [getattr(node, n) for n in ("test", "iter") if hasattr(node, "body") and hasattr(node, n)]
    return heads or ([] if hasattr(node, "body") else [node])


def decides(site: Site) -> bool:
    """Whether the metric computed on a line is compared with another, or the best of several is taken."""
    start = source.statement(site)
    if start is None:
        return False
    scope = source.function(site)
    if any(_compares(h) and source.calls(h) for h in _head(start)):
        whole = [n for h in _head(start) for n in ast.walk(h)]
        answers = [n.value for n in whole if isinstance(n, ast.Attribute)]  # ``(net(x) > 0).float()``
        return any(isinstance(n, ast.Compare) and n not in answers and _side(n, site) for n in whole)
    own = _results(start)
    tests = {n for n in own if TEST & set(source.words(n))}
    return _chooses(site.file, scope, tests or own, start)


def _chooses(file: str, scope: ast.AST, own: set[str], start: ast.AST | None = None) -> bool:
    """Whether code compares the metrics named in ``own``, or takes the best. start: a statement to skip.

    A method of the same file that gets a metric as an argument, as in early stopping, may compare it.
    """
    for _ in range(ROUNDS):
        before = len(own)
        for node in ast.walk(scope):
            if not isinstance(node, ast.stmt) or isinstance(node, source.Function) or hasattr(node, "body"):
                chooses = isinstance(node, (ast.If, ast.While)) and _compares(node.test, own)
                if chooses and not _only_notes(file, node):
                    return True
                if isinstance(node, ast.Call) and start is not None and _tells(file, node, own):
                    return True
                continue
            if not own & source.names(node):
                continue
            tests = (n.test for n in ast.walk(node) if isinstance(n, ast.IfExp))
            best = _takes_best(node, own) or any(_compares(test, own) for test in tests)
            if best and not _only_notes(file, node):
                return True
            own = own | (_results(node) if node is not start else set())
        if len(own) == before:
            break
    return False


def _only_notes(file: str, node: ast.AST) -> bool:
    """Whether a statement only notes numbers, under names that nothing else in the file reads."""
    body = [*node.body, *node.orelse] if isinstance(node, ast.If) else [node]
    targets = [t for s in body if isinstance(s, ast.Assign) for t in s.targets]
    stored = [e for t in targets for e in getattr(t, "elts", [t])]
    calls = {source.name_of(c) for c in source.calls(body)}
    if len(targets) < len(body) or not all(isinstance(t, ast.Name) for t in stored) or calls - NUMBERS:
        return False
    held, inside = {source.name_of(t) for t in stored}, set(ast.walk(node))
    reads = (n for n in ast.walk(source.module(file)) if isinstance(n, ast.Name) and n not in inside)
    return not any(n.id in held and isinstance(n.ctx, ast.Load) for n in reads)


def _tells(file: str, call: ast.Call, own: set[str]) -> bool:
    """Whether a call passes a metric to a method that compares it: ``stopper.step(loss)``, ``stopper(x)``."""
    told = [n for n, value in enumerate(call.args) if isinstance(value, ast.Name) and value.id in own]
    named = (source.name_of(call), "__call__") if isinstance(call.func, ast.Name) else (source.name_of(call),)
    for kind in ast.walk(source.module(file)) if told else ():
        methods = kind.body if isinstance(kind, ast.ClassDef) else ()
        for method in (m for m in methods if isinstance(m, source.Function) and m.name in named):
            parameters = [a.arg for a in method.args.args[1:]]
            if _chooses(file, method, {parameters[n] for n in told if n < len(parameters)}):
                return True
    return False


def _takes_best(node: ast.stmt, own: set[str]) -> bool:
    """Whether a statement takes the best of these metrics, rather than of predictions along an axis."""
    for call in source.calls(node, *BEST):
        whole = not source.argument(call, "dim") and not source.argument(call, "axis")
        whole = whole and not any(isinstance(a, (ast.Constant, ast.UnaryOp)) for a in call.args)
        if whole and own & set().union(*map(source.names, (call.func, *source.argument_values(call)))):
            return True
    return False


def _results(node: ast.stmt) -> set[str]:
    """The names that hold a statement's result, also the name of a list to which it is added."""
    held = source.targets(node)
    if isinstance(node, ast.Assign):
        held |= {source.name_of(t.value) for t in node.targets if isinstance(t, ast.Subscript)} - {""}
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if source.name_of(call) in ("append", "update", "add") and isinstance(call.func, ast.Attribute):
            held |= {source.name_of(call.func.value)} - {""}
    return held


def _compares(node: ast.AST, own: set[str] | None = None) -> bool:
    """Whether metrics (with these names) are compared by order with each other, not with a constant."""
    for n in ast.walk(node):
        if isinstance(n, ast.Compare) and any(isinstance(op, ORDERS) for op in n.ops):
            sides = [n.left, *n.comparators]
            if own is None or (own & source.names(n) and not any(isinstance(s, ast.Constant) for s in sides)):
                return True
    return False


def _side(node: ast.Compare, site: Site) -> bool:
    """Whether one side of a comparison is the call on this line, and the other is not a constant."""
    sides = [node.left, *node.comparators]
    is_call = any(isinstance(s, ast.Call) and s.lineno == site.line for s in sides)
    return is_call and not any(isinstance(s, ast.Constant) for s in sides)
