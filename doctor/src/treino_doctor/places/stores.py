"""Find the line that stores a value with its graph for longer than a step."""

import ast

from treino_doctor.finding import Site
from treino_doctor.places.source import (
    argument_values,
    calls,
    function,
    module,
    name_of,
    names,
    place,
    statement,
    targets,
    written_on,
)

BACKWARD = ("backward", "manual_backward")
RUNNERS = ("autograd", "fabric", "accelerator", "engine", "model_engine")  # their method takes the loss
CUT = ("item", "detach", "float", "int", "numpy", "tolist", "len", "argmax", "size", "backward", "data")
STORES = ("append", "appendleft", "add", "extend", "insert", "push", "put", "update", "setdefault", "add_")


def storing_line(site: Site | None, *, result: bool = False) -> Site | None:
    """The nearest line that sums or stores, as a tensor, the loss that is run backward on this line; the line
    itself if none does. result: a net's output instead of a loss.
    """
    if site is None:
        return None
    nodes = [n for n in ast.walk(module(site.file)) if isinstance(n, ast.stmt) and not hasattr(n, "body")]
    held = targets(statement(site)) if result else set()
    for call in calls(written_on(site), *BACKWARD):
        held |= names(run_backward(call)) - {"self"}
    storing = [place(site.file, n) for n in nodes if stores(n, held)]
    apart = [s for s in storing if s.line != site.line]
    inside = function(site)
    return min(apart, key=lambda s: (function(s) is not inside, abs(s.line - site.line)), default=site)


def stores(node: ast.stmt, held: set[str]) -> bool:
    """Whether a line keeps a value: ``total += loss``, ``losses.append(loss)``, ``log["loss"] = loss``."""
    if isinstance(node, ast.AugAssign):
        return carries(node.value, held - targets(node))
    if isinstance(node, ast.Assign):
        outside = any(isinstance(t, ast.Subscript) for t in node.targets)
        adds = bool(targets(node) & names(node.value))
        return (outside or adds) and carries(node.value, held - targets(node))
    call = node.value if isinstance(node, ast.Expr) else None
    stored = isinstance(call, ast.Call) and name_of(call) in STORES
    return stored and any(carries(a, held) for a in argument_values(call))  # type: ignore[arg-type]


def carries(value: ast.AST, held: set[str]) -> bool:
    """Whether an expression, or a part of it, carries the graph of one of these names."""
    if isinstance(value, (ast.Lambda, ast.Compare)):
        return False
    if isinstance(value, (ast.Call, ast.Attribute)) and name_of(value) in CUT:
        return False
    if isinstance(value, (ast.Name, ast.Attribute)) and name_of(value) in held:
        return True
    within = (n for n in ast.iter_child_nodes(value) if isinstance(n, (ast.expr, ast.keyword)))
    return any(carries(n, held) for n in within)


def run_backward(call: ast.Call) -> ast.AST | None:
    """What a call runs backward: ``loss.backward()``, ``autograd.backward(loss)``, ``grad(loss, x)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    handed = call.args[0] if call.args else None
    if isinstance(handed, (ast.List, ast.Tuple)) and handed.elts:
        handed = handed.elts[0]
    by_other = of is None or name_of(of) in RUNNERS or name_of(call) in ("grad", "manual_backward")
    return handed if by_other and handed is not None else of
