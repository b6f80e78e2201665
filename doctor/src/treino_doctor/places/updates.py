"""Find the learning rate of updates by hand, and steps or clearings that are named but not called."""

import ast
from collections.abc import Iterator

from treino_doctor.finding import Site
from treino_doctor.places.back import values
from treino_doctor.places.bindings import bindings
from treino_doctor.places.settings import number
from treino_doctor.places.source import (
    above,
    calls,
    function,
    module,
    name_of,
    only,
    owner,
    parents,
    place,
    same,
    written_on,
)


def _of_gradient(path: str, node: ast.AST) -> bool:
    """Whether an expression uses ``p.grad`` or a result of ``grad(loss, ws)``."""
    if any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(node)):
        return not calls(node, "zero_", "clone", "norm")
    loads = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    made = (way[-1].node for n in loads[:6] for way in values(place(path, n), n))
    return any(isinstance(n, ast.Call) and name_of(n) in ("grad", "grad_and_value") for n in made) or any(
        isinstance(n, ast.Attribute) and n.attr == "grad" for n in made
    )


def update_rate(site: Site | None) -> Site | None:
    """The line of the number by which an update multiplies gradients; else the only line that makes the
    updating object; else the line itself.
    """
    if site is None:
        return None
    rates = list(_rates(site))
    kind = owner(site)
    if len(rates) == 1:
        return rates[0]
    if kind is not None:
        made = only(place(site.file, c) for c in bindings(site.file).calls[kind.name])
        return made or site
    return site


def _rates(site: Site) -> Iterator[Site]:
    for node in (n for piece in written_on(site) for n in ast.walk(piece)):
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
            at = only(way[-1].site for way in ways)
            if at is not None:
                yield at


def uncalled_clearing(backward: Site | None) -> Site | None:
    """The nearest line in a backward's function that names ``zero_grad`` without calling it."""
    nodes = ast.walk(function(backward)) if backward is not None else ()
    expressions = [n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Attribute)]
    named = [place(backward.file, n) for n in expressions if name_of(n.value) == "zero_grad"]  # type: ignore[union-attr]
    return min(named, key=lambda s: abs(s.line - backward.line), default=None)  # type: ignore[union-attr]


def unreached_step(made: Site | None, stepped: Site | None) -> tuple[Site, str] | None:
    """(line, condition) of an unreached step of the scheduler made on a line; None if there is none."""
    for path in dict.fromkeys(s.file for s in (made, stepped) if s is not None):
        for node in (n for n in ast.walk(module(path)) if isinstance(n, ast.Attribute) and n.attr == "step"):
            at, ways = place(path, node), values(place(path, node), node.value)
            known = any(same(s.site, made) and isinstance(s.node, ast.Call) for way in ways for s in way)
            open_end = not any(isinstance(way[-1].node, ast.Call) for way in ways) and not same(at, stepped)
            if (known or open_end) and not isinstance(parents(path)[id(node)], ast.Expr):
                tests = (n.test for n in above(path, node) if isinstance(n, (ast.If, ast.IfExp, ast.While)))
                return at, next(map(ast.unparse, tests), "")
    return None
