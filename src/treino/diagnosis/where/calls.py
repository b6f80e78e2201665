"""Who calls a function of a file, by whatever name it was handed on, and what it is given there."""

import ast
from collections.abc import Iterator
from typing import Any

from treino.diagnosis.where.bindings import bindings, defaults, scope_of
from treino.diagnosis.where.source import above, name_of, parents, remembered

DEEP = 5  # names, one handed on as the other
MOST = 300  # calls of one function
OBJECTS = ("forward", "__call__", "__getitem__", "__iter__", "__len__", "__next__", "__getitems__")
MAKES = ("__init__", "__post_init__", "__new__")


def class_of(path: str, function: ast.AST) -> ast.ClassDef | None:
    """The class whose method a function is."""
    around = parents(path).get(id(function))
    return around if isinstance(around, ast.ClassDef) else None


@remembered
def family(path: str, name: str) -> tuple[ast.ClassDef, ...]:
    """A class of the file, those that it is an heir of, and its heirs."""
    classes = bindings(path).classes
    bases = {n: {name_of(b) for b in c.bases} for n, c in classes.items()}
    found, todo = {name}, [name]
    while todo:
        at = todo.pop()
        near = (bases.get(at, set()) & classes.keys()) | {n for n, of in bases.items() if at in of}
        todo += near - found
        found |= near
    return tuple(classes[n] for n in sorted(found) if n in classes)


@remembered
def call_sites(path: str, function: Any) -> tuple[tuple[ast.Call, int], ...]:
    """The calls of a function of the file, each with the number of leading arguments that aren't its own."""
    file, owner = bindings(path), class_of(path, function)
    name = getattr(function, "name", "")
    found: dict[int, tuple[ast.Call, int]] = {}
    if owner is not None and name in MAKES:
        every = list(_made(path, owner))
    elif owner is not None and name in OBJECTS:
        made = [call for call, _ in _made(path, owner)]
        every = [c for m in made for c in _handed(path, m, DEEP)] + [(c, 0) for c in _by_name(path, name)]
    elif owner is not None:
        every = [(c, 0) for c in file.calls[name] if isinstance(c.func, ast.Attribute)]
        loads = (n for n in ast.walk(owner) if isinstance(n, ast.Attribute) and n.attr == name)
        every += [c for n in loads for c in _handed(path, n, DEEP)]
    elif isinstance(function, ast.Lambda):
        every = list(_handed(path, function, DEEP))
    else:
        every = [c for load in file.loads[name] for c in _handed(path, load, DEEP)]
    inside = {id(n) for n in ast.walk(function)}
    for call, skip in every[:MOST]:
        if id(call) not in inside:
            found[id(call)] = (call, skip)
    return tuple(sorted(found.values(), key=lambda c: c[0].lineno))


def _by_name(path: str, name: str) -> list[ast.Call]:
    """``net.forward(x)``, but not ``super().forward(x)``."""
    every = [c for c in bindings(path).calls[name] if isinstance(c.func, ast.Attribute)]
    return [c for c in every if not isinstance(c.func.value, ast.Call)]  # type: ignore[attr-defined]


def _made(path: str, owner: ast.ClassDef) -> Iterator[tuple[ast.Call, int]]:
    """The calls that make an object of a class, or of an heir."""
    heirs = [c for c in family(path, owner.name) if owner.name in {name_of(b) for b in c.bases}]
    for name in (owner.name, *(heir.name for heir in heirs)):
        for load in bindings(path).loads[name]:
            yield from _handed(path, load, DEEP)


def _handed(path: str, node: ast.AST, deep: int) -> Iterator[tuple[ast.Call, int]]:
    """The calls of what this expression stands for, wherever it is handed to."""
    parent = parents(path).get(id(node))
    if parent is None or deep <= 0:
        return
    if isinstance(parent, ast.keyword):
        parent = parents(path).get(id(parent))
    if isinstance(parent, ast.Call):
        if parent.func is node:
            yield parent, 0
        elif name_of(parent) == "partial" and parent.args[:1] == [node]:
            yield parent, 1
            yield from ((c, -len(parent.args) + 1 + skip) for c, skip in _handed(path, parent, deep - 1))
    elif isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node is not getattr(
        parent, "target", 0
    ):
        yield from _named(path, parent, parent, deep)
    elif (
        isinstance(parent, (ast.IfExp, ast.BoolOp, ast.Subscript)) and node is not getattr(parent, "slice", 0)
    ) or isinstance(parent, (ast.Dict, ast.Tuple, ast.List)):
        yield from _handed(path, parent, deep - 1)
    elif isinstance(parent, ast.Attribute) and parent.attr in ("get", "to", "cuda", "cpu", "eval", "train"):
        yield from _handed(path, parents(path).get(id(parent), parent), deep - 1)


def _named(path: str, statement: ast.AST, around: ast.AST, deep: int) -> Iterator[tuple[ast.Call, int]]:
    """Calls of the names that a statement gives this value to."""
    file, scope = bindings(path), scope_of(path, around)
    given = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for target in given:
        if isinstance(target, ast.Name):
            loads = [n for n in file.loads[target.id] if _sees(path, n, scope)]
            for load in loads[:50]:
                yield from _handed(path, load, deep - 1)
        elif isinstance(target, ast.Attribute):
            found = file.calls[target.attr]
            yield from ((c, 0) for c in found if isinstance(c.func, ast.Attribute))


def _sees(path: str, node: ast.AST, scope: ast.AST) -> bool:
    return isinstance(scope, ast.Module) or scope in above(path, node)


def given_for(path: str, call: ast.Call, skip: int, function: Any, name: str) -> list[ast.expr]:
    """What a call gives a function for this argument; entries of the tables that it spreads."""
    spread = [k.value for k in call.keywords if k.arg is None]
    named = [k.value for k in call.keywords if k.arg == name]
    known = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    static = any(name_of(d) == "staticmethod" for d in getattr(function, "decorator_list", ()))
    own = 1 if class_of(path, function) is not None and not static else 0
    if named:
        return named
    at = known.index(name) - own + skip if name in known else -1
    star = next((i for i, a in enumerate(call.args) if isinstance(a, ast.Starred)), len(call.args))
    if 0 <= at < len(call.args):
        return [call.args[min(at, star)]]
    return [_entry(v, name) for v in spread]


def _entry(table: ast.expr, key: str) -> ast.expr:
    """``table["key"]``, of what a call spreads: ``f(**table)``."""
    if isinstance(table, ast.Dict):
        for k, v in zip(table.keys, table.values, strict=True):
            if isinstance(k, ast.Constant) and k.value == key:
                return v
    made = ast.Subscript(table, ast.Constant(key), ast.Load())
    return ast.copy_location(made, table)


def arguments(path: str, function: Any, name: str) -> list[tuple[ast.Call, ast.expr]]:
    """(call, value) for this argument at all calls in the file, its default where one leaves it out."""
    found: list[tuple[ast.Call, ast.expr]] = []
    default, sites = defaults(function).get(name), call_sites(path, function)
    left_out = not sites
    for call, skip in sites:
        values = given_for(path, call, skip, function, name)
        found += [(call, v) for v in values]
        partly = name_of(call) == "partial" or skip < 0
        left_out = left_out or (not values and not partly)
    if default is not None and left_out:
        found.append((ast.copy_location(ast.Call(default, [], []), default), default))
    return found


def returned(path: str, function: Any) -> list[ast.expr]:
    """What a function itself gives back or yields, the last first."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    kinds = (ast.Return, ast.Yield, ast.YieldFrom)
    found = [n for n in ast.walk(function) if isinstance(n, kinds) and n.value is not None]
    own = [n for n in found if scope_of(path, n) is function]
    return [n.value for n in sorted(own, key=lambda n: -n.lineno) if n.value is not None]
