"""Follow a value one step back: to the definitions of a name, an attribute, an entry or a call's result."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treino_doctor.finding import Site
from treino_doctor.places.bindings import arguments, bindings, call_sites, class_of, inputs, reaching, results
from treino_doctor.places.source import module, name_of, place, remembered

DEEP = 12  # longest path of a value that is passed on unchanged
EACH = -1  # as an index in `Step.part`: any element
ROUTES = 24  # maximum number of paths back from a value

HOW = {"changed": "changed", "field": "default"}  # how an attribute that was bound so is reached

Stack = tuple[ast.Call, ...]
Part = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Step:
    """A line that made a value, the expression that made it, and how the expression was reached.

    how: here, assigned, changed, loop, with, argument, default, attribute, entry, returned, made (a function
    or a class). part: the indices of the part of the expression's value; EACH stands for any element.
    """

    site: Site
    node: ast.AST
    how: str = "here"
    part: tuple[int, ...] = ()
    stack: Stack = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of a step."""
        return id(self.node), self.part, tuple(map(id, self.stack[:2])), self.how == "changed"


@remembered
def values(site: Site, node: ast.AST, led: tuple[Site, ...] = ()) -> list[list[Step]]:
    """The paths from an expression back to where its value, passed on unchanged, was made or written."""
    ways: list[list[Step]] = []
    todo: list[list[Step]] = [[Step(site, node)]]
    while todo and len(ways) < ROUTES:
        way = todo.pop(0)
        known = {s.key for s in way}
        further = _handed_from(way[-1], led) if len(way) < DEEP else []
        further = [s for s in further if s.key not in known]
        if further and len(todo) + len(further) < 4 * ROUTES:
            todo += [[*way, s] for s in further]
        else:
            ways.append(way)
    return ways


def _step(of: Step, node: ast.AST, how: str, part: tuple[int, ...], stack: Stack | None = None) -> Step:
    site = place(of.site.file, node, 0 if hasattr(node, "lineno") else of.site.line)
    return Step(site, node, how, part[:6], of.stack if stack is None else stack)


def back(step: Step, led: tuple[Site, ...] = ()) -> list[Step]:
    """Return the expressions in the file that give a name, an attribute, an entry or a call its value."""
    node = step.node
    if isinstance(node, ast.Name):
        return _of_name(step, node, led)
    if isinstance(node, ast.Attribute):
        return _of_attribute(step, node)
    if isinstance(node, ast.Subscript):
        return _of_subscript(step, node, led)
    if isinstance(node, ast.Call):
        return _of_call(step, node)
    if isinstance(node, ast.IfExp):
        return [_step(step, n, "here", step.part) for n in (node.body, node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [_step(step, n, "here", step.part) for n in node.values]
    if isinstance(node, (ast.NamedExpr, ast.Starred, ast.Await, ast.YieldFrom)):
        return [_step(step, node.value, "here", step.part)]
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and step.part:
        at, rest = step.part[0], step.part[1:]
        starred = any(isinstance(e, ast.Starred) for e in node.elts)
        parts = node.elts if at == EACH or starred else node.elts[at : at + 1]
        return [_step(step, n, "here", rest) for n in parts[:20]]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)) and step.part:
        return [_step(step, node.elt, "here", step.part[1:])]
    return []


def _of_name(step: Step, node: ast.Name, led: tuple[Site, ...]) -> list[Step]:
    path, steps = step.site.file, []
    for d in reaching(path, node.id, node):
        if d.how == "parameter":
            steps += _of_argument(step, d.value, d.name, led)
        elif d.how == "import":
            steps += [Step(s, n, "assigned", step.part) for s, n in imported(path, d.value, d.name, node.id)]
        elif d.how in ("made", "field"):
            steps.append(_step(step, d.value, "made", step.part))
        else:
            part = (EACH, *d.part) if d.how == "loop" else d.part
            steps.append(_step(step, d.value, d.how, part if d.how == "changed" else (*part, *step.part)))
    return steps


def _of_argument(step: Step, function: Any, name: str, led: tuple[Site, ...]) -> list[Step]:
    """The values passed for an argument: by the call that led here, by the running calls, or by all."""
    path = step.site.file
    if name in ("self", "cls"):
        return []
    part = step.part
    sites = call_sites(path, function)
    on_stack = [(c, s) for c, s in sites if step.stack and c is step.stack[0]]
    lines = {s.line for s in led if s.file == path}
    running = [(c, s) for c, s in sites if any(c.lineno <= n <= (c.end_lineno or 0) for n in lines)]
    if on_stack or running:
        given = [v for c, s in on_stack or running for v in inputs(path, c, s, function, name)]
        if given:
            return [_step(step, v, "argument", part, step.stack[1:] if on_stack else ()) for v in given]
    known = {id(c) for c, _ in sites}
    every = arguments(path, function, name)
    return [_step(step, v, "argument" if id(c) in known else "default", part, ()) for c, v in every]


def _of_attribute(step: Step, node: ast.Attribute) -> list[Step]:
    path, file = step.site.file, bindings(step.site.file)
    base = node.value
    if isinstance(base, ast.Name):
        for d in reaching(path, base.id, base):
            if d.how == "import":
                made = imported(path, d.value, d.name, node.attr)
                return [Step(s, n, "assigned", step.part) for s, n in made]
    known = file.attributes.get(node.attr, [])[::-1]
    steps = [_step(step, d.value, HOW.get(d.how, "attribute"), (*d.part, *step.part)) for d in known]
    entries = [d for d in file.keys.get(node.attr, []) if isinstance(d.receiver, (ast.Call, ast.Dict))]
    return steps + [_step(step, d.value, "entry", step.part) for d in entries]


def _of_subscript(step: Step, node: ast.Subscript, led: tuple[Site, ...]) -> list[Step]:
    """Return the definitions of a part of a value; for a string key, the key's entries in the whole file."""
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
        return back(Step(step.site, node.value, step.how, (key, *step.part), step.stack), led)
    known = bindings(step.site.file).keys.get(key, []) if isinstance(key, str) else []
    return [_step(step, d.value, "entry", step.part) for d in known]


def _of_call(step: Step, call: ast.Call) -> list[Step]:
    path, name, part = step.site.file, name_of(call), step.part
    if part and call.args and (narrowed := _narrowed(name, call, part)) is not None:
        return [_step(step, node, "here", rest) for node, rest in narrowed]
    methods = isinstance(call.func, ast.Attribute)
    functions = [f for f in bindings(path).functions.get(name, ()) if methods or class_of(path, f) is None]
    stack = (call, *step.stack)[:6]
    made = [_step(step, v, "returned", part, stack) for f in functions[:6] for v in results(path, f)]
    return made or (_items(step, call) if part[:1] == (EACH,) else [])


def _items(step: Step, call: ast.Call) -> list[Step]:
    """The elements of an object of the user's own class: what its ``__getitem__`` returns."""
    kinds = ((s.site.file, s.node) for s in back(Step(step.site, call.func)))
    pairs = ((file, node) for file, kind in kinds if isinstance(kind, ast.ClassDef) for node in kind.body)
    getters = [(file, node) for file, node in pairs if getattr(node, "name", "") == "__getitem__"]
    every = ((file, value) for file, node in getters for value in results(file, node))
    return [Step(place(file, value), value, "returned", step.part[1:]) for file, value in every]


SAME = ("tqdm", "list", "tuple", "iter", "reversed", "sorted", "islice", "DataLoader", "Subset", "prepare")


def _narrowed(name: str, call: ast.Call, part: Part) -> list[tuple[ast.AST, Part]] | None:
    """Return the argument of a library function that a part of its result comes from; None if unknown."""
    args, (at, *rest) = call.args, part
    if name in SAME:
        return [(args[0], part)]
    if name == "next":
        return [(args[0], (EACH, *part))]
    if name == "train_test_split" and at >= 0:
        return [(a, (*rest,)) for a in args[at // 2 : at // 2 + 1]]
    if name == "random_split" and at >= 0:
        return [(args[0], (*rest,))]
    if at != EACH or not rest or rest[0] < 0:
        return None
    if name == "enumerate":
        return [(args[0], (EACH, *rest[1:]))] if rest[0] == 1 else []
    if name in ("zip", "TensorDataset"):
        of = (EACH, *rest[1:]) if name == "zip" else (*rest[1:],)
        return [(a, of) for a in args[rest[0] : rest[0] + 1]]
    return None


CASTS = ("int", "float", "str", "bool", "lower", "strip", "copy", "deepcopy", "abs")


def _handed_from(step: Step, led: tuple[Site, ...]) -> list[Step]:
    """Follow a value that is passed on unchanged one step back."""
    node = step.node
    if isinstance(node, ast.Call) and name_of(node) in CASTS:
        of = node.args[:1] or [getattr(node.func, "value", node)]
        return [_step(step, of[0], "here", step.part)] if of[0] is not node else []
    return [s for s in back(step, led) if s.how != "changed"]


@remembered
def own_file(path: str, name: str) -> str | None:
    """The file of an imported module, in or below this file's folder; None if there is none."""
    base = Path(path).parent / Path(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        try:
            if candidate.is_file():
                return str(candidate)
        except OSError:
            return None
    return None


def imported(path: str, statement: ast.AST, name: str, target: str) -> list[tuple[Site, ast.AST]]:
    """Return the definitions of an imported name in the user's file that defines it."""
    if isinstance(statement, ast.ImportFrom):
        source = own_file(path, statement.module) if statement.module else None
        target = name
    else:
        source = own_file(path, name) if isinstance(statement, ast.Import) else None
    if source is None or source == path:
        return []
    known = bindings(source).named.get((id(module(source)), target), [])
    made = [d for d in reversed(known) if d.how != "import"]
    return [(place(source, d.value, 0 if hasattr(d.value, "lineno") else d.line), d.value) for d in made]
