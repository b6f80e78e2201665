"""Where weights are moved by hand, and where those that are moved are listed."""

import ast
from collections.abc import Iterator
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import scoped, target_names
from treino.diagnosis.reading.source import call_name, called, enclosing, names_in, statement_at, tree
from treino.diagnosis.reading.traced import Value, traced

LISTS = (ast.List, ast.Tuple, ast.ListComp)


def moving_line(backward: Site | None) -> Site | None:
    """The line, in the file of this backward, that lists what is moved down its gradients: ``params = [w]``
    before ``for p in params: p -= lr * p.grad``; the last such update where each stands by itself.
    """
    statement = statement_at(backward) if backward is not None else None
    if backward is None or statement is None:
        return backward
    last = None
    for call in called(statement, "grad"):
        made = _list_of(backward, call.args[1]) if len(call.args) > 1 else None  # grad(loss, params)
        if made is not None:
            return Site(backward.file, made.lineno)
    for site, node in _updates(backward):
        listed = _listed(site, node)
        if listed is not None:
            return Site(site.file, listed.lineno)
        last = site if last is None or node.lineno > last.line else last
    return last or backward


def moves_whole_net(backward: Site | None) -> bool:
    """Whether all that the file of this backward moves by hand is a net's own ``net.parameters()``, not those
    of a part of it.
    """
    listed = [_listed(site, node) for site, node in _updates(backward)]
    of = [n.func.value for n in listed if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    return bool(listed) and len(of) == len(listed) and all(isinstance(n, ast.Name) for n in of)


def _updates(backward: Site | None) -> Iterator[tuple[Site, ast.stmt]]:
    """The statements of a file that make values of gradients."""
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return
    for _, node in scoped(module):
        if isinstance(node, ast.stmt) and takes_gradients(node):
            yield Site(backward.file, node.lineno), node


def takes_gradients(node: ast.AST) -> bool:
    """Whether this is a statement that makes a value of a gradient: it isn't just cleared, nor one that is
    clipped.
    """
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
        return False
    read = {id(n) for n in ast.walk(node.value) if isinstance(n, ast.Attribute) and n.attr == "grad"}
    cleared = isinstance(node, ast.Expr) and "zero_" in names_in(node.value)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node.value)]
    of_itself = any(isinstance(t, ast.Attribute) and t.attr == "grad" for t in targets)
    return bool(read) and not cleared and not of_itself


def _listed(site: Site, node: ast.stmt) -> Any:
    """The list that is made, perhaps in another function, through which the loop around an update goes, or
    the call that gives a net's parameters; None where there is no such loop.
    """
    used = names_in(node)
    loops = [n for n in enclosing(site) if isinstance(n, ast.For) and target_names(n.target) & used]
    for loop in loops[-1:]:
        first: ast.AST = loop.iter
        while isinstance(first, ast.Call) and first.args:  # zip(params, velocities), enumerate(params)
            first = first.args[0]
        return _list_of(Site(site.file, loop.lineno), first)
    return None


def _list_of(site: Site, value: ast.AST) -> Any:
    """The list, or the call for a net's parameters, by which an expression on a line is made."""
    for v in traced(Value(site, value)):
        given = isinstance(v.node, ast.Call) and call_name(v.node) == "parameters"
        if given or isinstance(v.node, (*LISTS, ast.BinOp, ast.Subscript)):
            return v.node
    return None
