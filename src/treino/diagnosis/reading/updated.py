"""Where weights are moved by hand, and where those that are moved are listed."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import scoped, target_names
from treino.diagnosis.reading.source import enclosing, names_in, tree
from treino.diagnosis.reading.traced import Value, traced

LISTS = (ast.List, ast.Tuple, ast.ListComp)


def moving_line(backward: Site | None) -> Site | None:
    """The line, in the file of this backward, that lists what is moved down its gradients: ``params = [w]``
    before ``for p in params: p -= lr * p.grad``; the last such update where each stands by itself.
    """
    module = tree(backward.file) if backward is not None else None
    if backward is None or module is None:
        return backward
    last = None
    for _, node in scoped(module):
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) or not _takes_gradients(node):
            continue
        site = Site(backward.file, node.lineno)
        listed = _listed(site, node)
        if listed is not None:
            return listed
        last = site if last is None or node.lineno > last.line else last
    return last or backward


def _takes_gradients(node: ast.Assign | ast.AugAssign | ast.Expr) -> bool:
    """Whether a statement makes a value of a gradient: it isn't just cleared, nor one that is clipped."""
    read = {id(n) for n in ast.walk(node.value) if isinstance(n, ast.Attribute) and n.attr == "grad"}
    cleared = isinstance(node, ast.Expr) and "zero_" in names_in(node.value)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node.value)]
    of_itself = any(isinstance(t, ast.Attribute) and t.attr == "grad" for t in targets)
    return bool(read) and not cleared and not of_itself


def _listed(site: Site, node: ast.stmt) -> Site | None:
    """Where the list is made through which the loop around an update goes, perhaps in another function."""
    used = names_in(node)
    loops = [n for n in enclosing(site) if isinstance(n, ast.For) and target_names(n.target) & used]
    for loop in loops[-1:]:
        given: ast.AST = loop.iter
        while isinstance(given, ast.Call) and given.args:  # zip(params, velocities), enumerate(params)
            given = given.args[0]
        for v in traced(Value(Site(site.file, loop.lineno), given)):
            if isinstance(v.node, (*LISTS, ast.BinOp, ast.Subscript)):
                return Site(site.file, v.node.lineno)
    return None
