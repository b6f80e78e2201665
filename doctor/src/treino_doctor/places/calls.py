"""The calls of a function in its file, and the values that they pass."""

import ast
from typing import Any

from treino_doctor.places.bindings import bindings, defaults, scope_of
from treino_doctor.places.source import name_of, parents, remembered

MOST = 300  # maximum number of calls of one function
MAKES = ("__init__", "__post_init__", "__new__")


def class_of(path: str, function: ast.AST) -> ast.ClassDef | None:
    """The class that a method belongs to; None for a function."""
    around = parents(path).get(id(function))
    return around if isinstance(around, ast.ClassDef) else None


@remembered
def call_sites(path: str, function: Any) -> tuple[tuple[ast.Call, int], ...]:
    """The calls of a function in its file, by name, each with the number of leading arguments that aren't the
    function's: 1 in ``partial(f, x)``.
    """
    file, owner = bindings(path), class_of(path, function)
    name = getattr(function, "name", "")
    if owner is not None and name in MAKES:
        owners = [c for c in file.classes.values() if owner.name in (c.name, *map(name_of, c.bases))]
        every = [(c, 0) for o in owners for c in file.calls[o.name]]
    elif owner is not None:
        every = [(c, 0) for c in file.calls[name] if isinstance(c.func, ast.Attribute)]
    else:
        every = [(c, 0) for c in file.calls[name] if isinstance(c.func, ast.Name)]
        every += [(c, 1) for c in file.calls["partial"] if c.args and name_of(c.args[0]) == name != ""]
    inside = {id(n) for n in ast.walk(function)}
    outside = [(c, skip) for c, skip in every[:MOST] if id(c) not in inside]
    return tuple(sorted(outside, key=lambda c: c[0].lineno))


def values_for(path: str, call: ast.Call, skip: int, function: Any, name: str) -> list[ast.expr]:
    """The value that a call passes for an argument; [] if it passes none."""
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
    return []


def arguments(path: str, function: Any, name: str) -> list[tuple[ast.Call, ast.expr]]:
    """(call, value) of an argument at all calls in the file; its default if a call omits it."""
    pairs: list[tuple[ast.Call, ast.expr]] = []
    default, sites = defaults(function).get(name), call_sites(path, function)
    left_out = not sites
    for call, skip in sites:
        values = values_for(path, call, skip, function, name)
        pairs += [(call, v) for v in values]
        partly = name_of(call) == "partial"
        left_out = left_out or (not values and not partly)
    if default is not None and left_out:
        pairs.append((ast.copy_location(ast.Call(default, [], []), default), default))
    return pairs


def returned(path: str, function: Any) -> list[ast.expr]:
    """The expressions that a function returns or yields, last first."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    kinds = (ast.Return, ast.Yield, ast.YieldFrom)
    exits = [n for n in ast.walk(function) if isinstance(n, kinds) and n.value is not None]
    own = [n for n in exits if scope_of(path, n) is function]
    return [n.value for n in sorted(own, key=lambda n: -n.lineno) if n.value is not None]
