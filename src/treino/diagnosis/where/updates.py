"""Where a script moves weights, clears gradients or sets a rate by its own hand."""

import ast
from collections.abc import Iterator

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import values
from treino.diagnosis.where.bindings import bindings, parameters
from treino.diagnosis.where.flow import uses
from treino.diagnosis.where.settings import deepest, number
from treino.diagnosis.where.source import (
    Function,
    calls,
    function,
    given,
    loops,
    module,
    name_of,
    names,
    only,
    owner,
    place,
    targets,
    written_on,
)

CLEARS = ("zero_grad", "zero_", "fill_")


def _of_gradient(path: str, node: ast.AST) -> bool:
    """Whether an expression has ``p.grad`` in it, or what ``grad(loss, ws)`` gave."""
    if any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(node)):
        return not calls(node, "zero_", "clone", "norm")
    asked = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    made = (way[-1].node for n in asked[:6] for way in values(place(path, n), n))
    return any(isinstance(n, ast.Call) and name_of(n) in ("grad", "grad_and_value") for n in made) or any(
        isinstance(n, ast.Attribute) and n.attr == "grad" for n in made
    )


def update_rate(site: Site | None) -> Site | None:
    """Where the number stands by which a line of an update multiplies gradients, or where the only object is
    made that does it; the line itself where neither is known.
    """
    if site is None:
        return None
    found = list(_rates(site))
    kind = owner(site)
    if len(found) == 1:
        return found[0]
    if kind is not None:
        made = only(place(site.file, c) for c in bindings(site.file).calls[kind.name])
        return made or site
    return site


def _rates(site: Site) -> Iterator[Site]:
    for node in (n for said in written_on(site) for n in ast.walk(said)):
        sides: list[ast.AST] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            sides = [
                s for s, o in ((node.left, node.right), (node.right, node.left)) if _of_gradient(site.file, o)
            ]
        elif isinstance(node, ast.keyword) and node.arg in ("alpha", "value"):
            sides = [node.value]
        for side in sides:
            side = side.operand if isinstance(side, ast.UnaryOp) else side
            ways = [w for w in values(site, side) if number(w[-1].node) is not None]
            at = deepest(ways) if ways else None
            if at is not None:
                yield at


def is_clearing(node: ast.AST) -> bool:
    """``optimizer.zero_grad()``, ``p.grad = None``, ``p.grad.zero_()``"""
    for n in ast.walk(node):
        if isinstance(n, ast.Assign) and any(
            isinstance(t, ast.Attribute) and t.attr == "grad" for t in n.targets
        ):
            return True
    return any(name_of(c) == "zero_grad" or "grad" in names(c.func) for c in calls(node, *CLEARS))


def only_clears(site: Site) -> bool:
    """Whether the function around a line clears gradients and does nothing else."""
    inside = function(site)
    nodes = [n for n in ast.walk(inside) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    plain = [n for n in nodes if not isinstance(getattr(n, "value", None), ast.Constant)]
    return isinstance(inside, Function) and all(map(is_clearing, plain or nodes))


def cleared_elsewhere(backward: Site | None) -> Site | None:
    """The line that should clear the gradients of this backward: the nearest one that names a clearing
    without calling it, or the only one of the function, in an outer loop; None without any.
    """
    if backward is None:
        return None
    inside = function(backward)
    nodes = [n for n in ast.walk(inside) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    named = [n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Attribute)]
    named = [n for n in named if name_of(n.value) == "zero_grad"]
    if named:
        return place(backward.file, min(named, key=lambda n: abs(n.lineno - backward.line)))
    at = only(place(backward.file, n) for n in nodes if is_clearing(n))
    around, outer = loops(backward), loops(at)
    return at if outer and len(outer) < len(around) and outer[-1] in around else None


def unkept(site: Site | None) -> Site | None:
    """The line that works out what a weight should have become and gives it to nobody: ``for p, g in zip(ws,
    gs): p = p - rate * g``, ``p.sub(rate * p.grad)``.
    """
    for node in ast.walk(module(site.file)) if site is not None else ():
        if isinstance(node, (ast.Assign, ast.Expr)) and site is not None and _less(site.file, node.value):
            at = place(site.file, node)
            if isinstance(node, ast.Expr):
                return at
            inside = function(at)
            each = set().union(*(targets(n) for n in loops(at) if isinstance(n, ast.For)))
            each |= {*parameters(inside)} if isinstance(inside, Function) else set()
            plain = all(isinstance(t, ast.Name) and t.id in each for t in node.targets)
            if plain and not any(True for _ in uses(at)):
                return at
    return None


def _less(path: str, value: ast.AST) -> bool:
    """A value less its gradient, as a new one: ``p - rate * g``, ``p.sub(rate * g)``."""
    if isinstance(value, ast.Call) and name_of(value) in ("sub", "add", "subtract"):
        return any(_of_gradient(path, a) for a in given(value))
    less = [n for n in ast.walk(value) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)]
    return any(_of_gradient(path, n.right) for n in less)
