"""Where a value with its graph is kept for longer than its step."""

import ast
from collections import deque

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import values
from treino.diagnosis.where.bindings import bindings, parameters
from treino.diagnosis.where.calls import call_sites, given_for
from treino.diagnosis.where.losses import BACKWARD, run_backward
from treino.diagnosis.where.source import (
    Function,
    calls,
    function,
    given,
    loop,
    name_of,
    names,
    place,
    statement,
    targets,
    written_on,
)

CUT = (
    "item",
    "detach",
    "float",
    "int",
    "numpy",
    "tolist",
    "len",
    "argmax",
    "size",
    "backward",
    "detach_",
    "data",
)
STORES = ("append", "appendleft", "add", "extend", "insert", "push", "put", "update", "setdefault", "add_")
MOST = 40  # names of a value, as it is handed on


def kept(site: Site | None, *, result: bool = False) -> Site | None:
    """The line that sums or stores what is run backward on this one (or, result, what a net's call gives)
    as a tensor; the line itself where none is found.
    """
    if site is None:
        return None
    todo: deque[tuple[ast.AST, str]] = deque()
    if result:
        made = statement(site)
        todo += [(function(site), name) for name in sorted(targets(made))] if made is not None else []
    for run in (r for c in calls(written_on(site), *BACKWARD) if (r := run_backward(c)) is not None):
        todo += [(function(site), name) for name in sorted(names(run) - {"self"})]
        for way in values(site, run):
            todo += [(function(s.site), name) for s in way for name in sorted(_makers(s.node))]
    return _nearest(site, todo) or site


def _makers(value: ast.AST) -> set[str]:
    """The names that a sum is of, or that a value is."""
    return names(value) if isinstance(value, (ast.Name, ast.Attribute, ast.BinOp)) else set()


def _nearest(site: Site, todo: deque[tuple[ast.AST, str]]) -> Site | None:
    """The line nearest to this one, of those that store one of these names, or what is made of them."""
    seen: set[tuple[int, str]] = set()
    found: list[Site] = []
    while todo and len(seen) < MOST:
        inside, name = todo.popleft()
        if (id(inside), name) in seen:
            continue
        seen.add((id(inside), name))
        for node in (n for n in ast.walk(inside) if isinstance(n, ast.stmt) and not hasattr(n, "body")):
            at = place(site.file, node)
            if function(at) is not inside and not isinstance(inside, ast.Lambda):
                continue
            if stores(node, name) and at.line != site.line:
                found += [] if _emptied(site, node) else [at]
            elif isinstance(node, ast.Assign) and carries(node.value, name):
                todo += [(inside, other) for other in sorted(targets(node) - {name})]
            elif isinstance(node, ast.Return) and node.value is not None and carries(node.value, name):
                todo += _given_back(site.file, inside)
            todo += _handed_on(site.file, node, name)
    return min(found, key=lambda s: abs(s.line - site.line), default=None)


def _emptied(site: Site, node: ast.stmt) -> bool:
    """Whether what a line stores into is made anew at every turn of the loop around the backward."""
    turn = loop(site)
    of = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    held = {name_of(of.value)} if isinstance(of, ast.Attribute) else targets(node)
    held |= {name_of(t.value) for t in getattr(node, "targets", ()) if isinstance(t, ast.Subscript)}
    inside = list(ast.walk(turn)) if turn is not None else []
    made = [n for n in inside if isinstance(n, ast.Assign) and n is not node]
    plain = (ast.List, ast.Dict, ast.Constant, ast.Tuple)
    return any(targets(n) & (held - {""}) and _plain(n.value, plain) for n in made)


def _plain(value: ast.AST, kinds: tuple[type, ...]) -> bool:
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return all(isinstance(p, kinds) for p in parts)


def _given_back(path: str, inside: ast.AST) -> list[tuple[ast.AST, str]]:
    """The names that calls of a function give its result to."""
    found: list[tuple[ast.AST, str]] = []
    for call, _ in call_sites(path, inside) if isinstance(inside, Function) else ():
        at = place(path, call)
        said = statement(at)
        found += [(function(at), name) for name in sorted(targets(said))] if said is not None else []
    return found


def _handed_on(path: str, node: ast.stmt, name: str) -> list[tuple[ast.AST, str]]:
    """The arguments of the file's functions that are given a name."""
    found: list[tuple[ast.AST, str]] = []
    for call in calls(node):
        for own in bindings(path).functions.get(name_of(call), ()):
            for known in parameters(own):
                values_of = given_for(path, call, 0, own, known)
                found += [(own, known)] if any(carries(v, name) for v in values_of) else []
    return found


def stores(node: ast.stmt, name: str) -> bool:
    """``total += loss``, ``losses.append(loss)``, ``self.last = loss``, ``log["loss"] = loss``: as it is."""
    if isinstance(node, ast.AugAssign):
        return carries(node.value, name) and name not in targets(node)
    if isinstance(node, ast.Assign):
        outside = any(isinstance(t, ast.Subscript) for t in node.targets)
        held = any(isinstance(t, ast.Attribute) and t.attr in names(node.value) for t in node.targets)
        adds = bool(targets(node) & names(node.value)) and name not in targets(node)
        return (outside or held or adds) and carries(node.value, name)
    call = node.value if isinstance(node, ast.Expr) else None
    return (
        isinstance(call, ast.Call) and name_of(call) in STORES and any(carries(a, name) for a in given(call))
    )


def carries(value: ast.AST, name: str) -> bool:
    """Whether a value, or a part of it, has this name's graph."""
    if isinstance(value, ast.Call) and name_of(value) in CUT:
        return False
    if isinstance(value, (ast.Lambda, ast.Compare)) or (
        isinstance(value, ast.Attribute) and value.attr in CUT
    ):
        return False
    if isinstance(value, (ast.Name, ast.Attribute)) and name_of(value) == name:
        return True
    return any(
        carries(n, name) for n in ast.iter_child_nodes(value) if isinstance(n, (ast.expr, ast.keyword))
    )
