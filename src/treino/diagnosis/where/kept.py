"""Where a value with its graph is kept for longer than its step."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.where.bindings import bindings, parameters
from treino.diagnosis.where.calls import call_sites, given_for
from treino.diagnosis.where.losses import BACKWARD, run_backward
from treino.diagnosis.where.source import (
    Function,
    calls,
    function,
    given,
    loop,
    module,
    name_of,
    names,
    place,
    statement,
    targets,
    written_on,
)

CUT = ("item", "detach", "float", "int", "numpy", "tolist", "len", "argmax", "size", "backward", "data")
STORES = ("append", "appendleft", "add", "extend", "insert", "push", "put", "update", "setdefault", "add_")
DEEP = 4  # times that a value is handed on


def kept(site: Site | None, *, result: bool = False) -> Site | None:
    """The line that sums or stores what is run backward on this one (or, result, what a net's call gives)
    as a tensor; the line itself where none is found.
    """
    if site is None:
        return None
    nodes = [n for n in ast.walk(module(site.file)) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    held = targets(statement(site)) if result else set()
    for call in calls(written_on(site), *BACKWARD):
        held |= names(run_backward(call)) - {"self"}
    for _ in range(DEEP):
        held = held.union(*(_handed_on(site.file, n, held) for n in nodes))
    found = [place(site.file, n) for n in nodes if stores(n, held) and not _emptied(site, n)]
    apart = [s for s in found if s.line != site.line]
    inside = function(site)
    return min(apart, key=lambda s: (function(s) is not inside, abs(s.line - site.line)), default=site)


def _handed_on(path: str, node: ast.stmt, held: set[str]) -> set[str]:
    """The names that a line gives one of these values to: its targets, an argument, a result's targets."""
    if isinstance(node, ast.Assign) and carries(node.value, held):
        return targets(node)
    if isinstance(node, ast.Return) and node.value is not None and carries(node.value, held):
        inside = function(place(path, node))
        sites = call_sites(path, inside) if isinstance(inside, Function) else ()
        return set().union(*(targets(statement(place(path, call))) for call, _ in sites))
    found: set[str] = set()
    for call in calls(node):
        for own in bindings(path).functions.get(name_of(call), ()):
            given_to = {n: given_for(path, call, 0, own, n) for n in parameters(own)}
            found |= {n for n, values in given_to.items() if any(carries(v, held) for v in values)}
    return found


def _emptied(site: Site, node: ast.stmt) -> bool:
    """Whether what a line stores into is made anew at every turn of the loop around the backward."""
    of = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    into = {name_of(of.value)} if isinstance(of, ast.Attribute) else targets(node)
    turn = loop(site)
    made = [n for n in ast.walk(turn) if isinstance(n, ast.Assign)] if turn is not None else []
    return any(targets(n) & into and isinstance(n.value, (ast.List, ast.Dict, ast.Constant)) for n in made)


def stores(node: ast.stmt, held: set[str]) -> bool:
    """``total += loss``, ``losses.append(loss)``, ``self.last = loss``, ``log["loss"] = loss``: as it is."""
    if isinstance(node, ast.AugAssign):
        return carries(node.value, held - targets(node))
    if isinstance(node, ast.Assign):
        outside = any(isinstance(t, ast.Subscript) for t in node.targets)
        adds = bool(targets(node) & names(node.value))
        return (outside or adds) and carries(node.value, held - targets(node))
    call = node.value if isinstance(node, ast.Expr) else None
    stored = isinstance(call, ast.Call) and name_of(call) in STORES
    return stored and any(carries(a, held) for a in given(call))  # type: ignore[arg-type]


def carries(value: ast.AST, held: set[str]) -> bool:
    """Whether a value, or a part of it, has the graph of one of these names."""
    if isinstance(value, (ast.Lambda, ast.Compare)):
        return False
    if isinstance(value, (ast.Call, ast.Attribute)) and name_of(value) in CUT:
        return False
    if isinstance(value, (ast.Name, ast.Attribute)) and name_of(value) in held:
        return True
    within = (n for n in ast.iter_child_nodes(value) if isinstance(n, (ast.expr, ast.keyword)))
    return any(carries(n, held) for n in within)
