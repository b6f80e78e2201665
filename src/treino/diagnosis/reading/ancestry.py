"""Where the rows that a net is given come from, through the functions and datasets of the same file."""

import ast
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.orders import given_parts
from treino.diagnosis.reading.provenance import (
    Function,
    data_names,
    definition,
    functions,
    given_rows,
    scoped,
    target_names,
)
from treino.diagnosis.reading.source import call_name, called, function_of, names_in, statement_at, tree

GIVEN = (ast.Return, ast.Yield, ast.YieldFrom)
MOST = 200  # names that are followed
CONVERSIONS = (
    *("tensor", "as_tensor", "from_numpy", "FloatTensor", "Tensor", "DoubleTensor", "stack", "column_stack"),
    *("to_numpy", "asarray"),
)
BATCHES = ("__getitems__", "__iter__", "__next__")
GIVES = ("__getitem__", *BATCHES)  # what a dataset gives rows by, and whole batches of them


@dataclass(frozen=True)
class Step:
    """A line that makes rows, and the expression that it makes them by."""

    site: Site
    value: ast.AST
    loop: bool = False


def ancestry(site: Site | None, loader: Site | None = None) -> Iterator[Step]:
    """The lines that made what a net is given on a line, or by a loader: the nearest first."""
    start = loader or site
    statement = statement_at(start) if start is not None else None
    if start is None or statement is None:
        return
    given = made_by(start.file, statement) if loader is not None else []
    names = [(name, start) for name in given_rows(statement, start, of_loader=loader is not None)]
    yield from given
    yield from _makers_of([*names, *_names_of(given)])


def trail(value: ast.AST, place: Site) -> Iterator[Step]:
    """An expression on a line, and the lines that made what it is of: the nearest first."""
    inside = [Step(place, value), *made_by(place.file, value)]
    yield from inside
    yield from _makers_of(_names_of(inside))


def _names_of(steps: list[Step]) -> list[tuple[str, Site]]:
    return [(name, step.site) for step in steps for name in sorted(data_names(step.value))]


def _makers_of(names: list[tuple[str, Site]]) -> Iterator[Step]:
    followed: set[tuple[str, int]] = set()
    todo = deque(names)
    while todo and len(followed) < MOST:
        name, place = todo.popleft()
        for step in _makers(name, place):
            if (name, step.site.line) in followed:
                continue
            followed.add((name, step.site.line))
            yield step
            inside = [step, *made_by(place.file, step.value)]
            yield from inside[1:]
            todo += _names_of(inside)


def hands_out(site: Site) -> bool:
    """Whether a line only puts batches together of what its loader was given: the edit is elsewhere."""
    around, statement = function_of(site), statement_at(site)
    zips = called(statement, "zip") if statement is not None else []
    columns = any(isinstance(a, ast.Starred) for call in zips for a in call.args)
    return columns or getattr(around, "name", "") in BATCHES


def first(steps: Iterator[Step], fits: Callable[[ast.AST], bool]) -> Site | None:
    """The line of the nearest step whose expression fits."""
    return next((step.site for step in steps if fits(step.value)), None)


def _makers(name: str, place: Site) -> list[Step]:
    """The line that gives the name its value; where it is an argument, what the function is called with."""
    around = function_of(place)
    made = definition(place, name)
    own = made is not None and made.function is around and made.line < place.line
    if isinstance(around, Function) and not own and name in parameters(around):
        return [
            Step(Site(place.file, call.lineno), value) for call, value in arguments(place.file, around, name)
        ]
    kept = [] if own else kept_as(name, place, around)
    if kept or made is None or (made.loop and called(made.value, "range")):  # numbers, no rows
        return kept
    return [Step(Site(place.file, made.line), made.value)]


def makers(name: str, place: Site) -> list[Step]:
    """What a name stands for on a line: the value it was given, or the arguments of the function around."""
    return _makers(name, place)


def step_back(name: str, place: Site) -> Step | None:
    """Where a name on a line has its value from: the line that gives it, the only call that hands it over,
    or what a function of the file returns for it.
    """
    around, made = function_of(place), definition(place, name)
    own = made is not None and made.function is around and made.line < place.line
    if isinstance(around, Function) and not own and name in parameters(around):
        calls = list(arguments(place.file, around, name))
        return Step(Site(place.file, calls[0][0].lineno), calls[0][1]) if len(calls) == 1 else None
    if made is None or made.line >= place.line:
        return None
    step = Step(Site(place.file, made.line), made.value, made.loop)
    return returned_part(step, name) or step


def returned_part(step: Step, name: str) -> Step | None:
    """What a function of the file returns for a name: the first of ``train, test = load()``."""
    statement, path = statement_at(step.site), step.site.file
    own = functions(path, call_name(step.value)) if isinstance(step.value, ast.Call) else ()
    if len(own) != 1 or not isinstance(statement, ast.Assign) or statement.value is not step.value:
        return None
    returns = [n for f, n in scoped(own[0], own[0]) if f is own[0] and isinstance(n, ast.Return)]
    target, value = statement.targets[0], returns[0].value if len(returns) == 1 else None
    if value is None:
        return None
    if isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else _made_alike(value)
        if len(parts) != len(target.elts):
            return None
        value = next((p for p, t in zip(parts, target.elts, strict=True) if name in target_names(t)), value)
    return Step(Site(path, returns[0].lineno), value)


def _made_alike(value: ast.expr) -> list[ast.expr]:
    """What ``tuple(f(rows) for rows in (train, test))`` is made of, one by one."""
    if isinstance(value, ast.Call) and call_name(value) in ("tuple", "list") and len(value.args) == 1:
        value = value.args[0]
    of = value.generators[0].iter if isinstance(value, (ast.GeneratorExp, ast.ListComp)) else None
    return list(of.elts) if isinstance(of, (ast.Tuple, ast.List)) else []


def kept_as(name: str, place: Site, method: ast.AST | None) -> list[Step]:
    """The lines that give ``self.NAME`` a value in the class around, as a buffer too."""
    owner = _class_of(tree(place.file), method) if method is not None else None
    found: list[Step] = []
    for node in ast.walk(owner) if owner is not None else ():
        if isinstance(node, ast.Assign):
            for target, value in given_parts(node):
                parts = getattr(target, "elts", [target])
                if any(isinstance(t, ast.Attribute) and t.attr == name for t in parts):
                    found.append(Step(Site(place.file, node.lineno), value))
        elif isinstance(node, ast.Call) and _buffer_name(node) == name:
            found.append(Step(Site(place.file, node.lineno), node.args[1]))
    return found


def _buffer_name(call: ast.Call) -> str:
    """``register_buffer("NAME", value)``"""
    named = call_name(call) == "register_buffer" and len(call.args) > 1
    return str(call.args[0].value) if named and isinstance(call.args[0], ast.Constant) else ""


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    given = function.args
    return [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def given_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The arguments that a caller gives: all but the object itself."""
    return [name for name in parameters(function) if name not in ("self", "cls")]


def defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[ast.expr]]:
    """Argument → its default, where it has one."""
    spec = function.args
    plain = [*spec.posonlyargs, *spec.args]
    pairs = [*zip(plain[len(plain) - len(spec.defaults) :], spec.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None]
    return {a.arg: [d] for a, d in pairs}


def arguments(
    path: str, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[tuple[ast.Call, ast.AST]]:
    """(call, value) for this argument, wherever the function, or the class that it makes, is called."""
    module = tree(path)
    owner = _class_of(module, function)
    meant = {owner.name if owner is not None and function.name == "__init__" else function.name}
    if owner is not None and module is not None and function.name == "__call__":
        # It is called by the names of its objects.
        made = [n for n in ast.walk(module) if isinstance(n, ast.Assign) and called(n.value, owner.name)]
        meant |= {name for n in made for t in n.targets for name in target_names(t)}
    known = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    at = known.index(name) - (owner is not None) if name in known else len(known) + 99  # by keyword alone
    making = owner is not None and function.name == "__init__"
    inside = {id(n): "cls" for n in ast.walk(owner)} if owner is not None and making else {}
    for kind in _heirs(module, owner) if owner is not None and making else ():
        if any(isinstance(n, Function) and n.name == "__init__" for n in kind.body):
            inside |= {id(n): "__init__" for n in ast.walk(kind)}  # super().__init__(...)
        else:
            meant.add(kind.name)
    for call in ast.walk(module) if module is not None else ():
        own = isinstance(call, ast.Call) and inside.get(id(call)) == call_name(call)
        if isinstance(call, ast.Call) and (call_name(call) in meant or own):
            named = [k.value for k in call.keywords if k.arg == name]
            values = named or given_at(call, max(at, 0), len(known) - (owner is not None))
            yield from ((call, value) for value in values)


def _heirs(module: ast.Module | None, owner: ast.ClassDef) -> list[ast.ClassDef]:
    kinds = [n for n in ast.walk(module) if isinstance(n, ast.ClassDef)] if module is not None else []
    return [k for k in kinds if any(names_in(b) & {owner.name} for b in k.bases)]


def given_at(call: ast.Call, at: int, count: int) -> list[ast.expr]:
    """The argument of a call at this place of so many; what is spread over places it may be one of."""
    star = next((i for i, a in enumerate(call.args) if isinstance(a, ast.Starred)), len(call.args))
    after = call.args[star + 1 :]
    if at < star or star == len(call.args):
        return call.args[at : at + 1]
    if 0 < count - at <= len(after):  # f(*pair, 64, generator)
        return [after[at - count]]
    return [call.args[star].value]  # type: ignore[attr-defined]


def made_by(path: str, value: ast.AST) -> list[Step]:
    """What the functions of the file that an expression calls return or yield; what its datasets give."""
    module = tree(path)
    names = {call_name(call) for call in ast.walk(value) if isinstance(call, ast.Call)}
    found: list[Step] = []
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.ClassDef) and node.name in names:
            bodies: list[ast.AST] = [n for n in node.body if isinstance(n, Function) and n.name in GIVES]
        else:
            bodies = [node] if isinstance(node, Function) and node.name in names else []
        given = (n for body in bodies for n in ast.walk(body) if isinstance(n, GIVEN) and n.value is not None)
        found += [Step(Site(path, n.lineno), n.value) for n in given if n.value is not None]
    return found


def _class_of(module: ast.Module | None, function: ast.AST) -> ast.ClassDef | None:
    classes = (n for n in ast.walk(module) if isinstance(n, ast.ClassDef)) if module is not None else ()
    return next((c for c in classes if function in c.body), None)


def chooses(value: ast.AST) -> bool:
    """Whether an expression takes the rows of which something is true: ``frame[frame["week"] <= last]``."""
    subscripts = (n for n in ast.walk(value) if isinstance(n, ast.Subscript))
    masked = any(isinstance(n, ast.Compare) for s in subscripts for n in ast.walk(s.slice))
    return masked or bool(called(value, "query", "between"))


def converts(value: ast.AST) -> bool:
    """Whether an expression makes a tensor, or numbers for one, out of a table."""
    return any(isinstance(n, ast.Call) and call_name(n) in CONVERSIONS for n in ast.walk(value)) or any(
        isinstance(n, ast.Attribute) and n.attr == "values" for n in ast.walk(value)
    )


def floats(value: ast.AST) -> bool:
    """Whether an expression gives an array the numbers of a net: ``x.astype(np.float32)``."""
    return any("float" in ast.unparse(a) for call in called(value, "astype") for a in call.args)
