"""Find what a loop does by hand: rates of updates, clearing that is not called, values that are kept."""

import ast
from collections.abc import Iterator

from treino_doctor.finding import Site
from treino_doctor.places import source
from treino_doctor.places.back import values
from treino_doctor.places.bindings import bindings
from treino_doctor.places.settings import number

GRADIENTS = "grad", "grad_and_value"  # attributes, and functions of autograd


def _of_gradient(path: str, node: ast.AST) -> bool:
    """Whether an expression uses ``p.grad`` or a result of ``grad(loss, ws)``."""
    if any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(node)):
        return not source.calls(node, "zero_", "clone", "norm")
    loads = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    made = (way[-1].node for n in loads[:6] for way in values(source.place(path, n), n))
    return any(isinstance(n, (ast.Call, ast.Attribute)) and source.name_of(n) in GRADIENTS for n in made)


def update_rate(site: Site | None) -> Site | None:
    """The line of the number by which an update multiplies gradients; else the only line that makes the
    updating object; else the line itself."""
    if site is None:
        return None
    rates = list(_rates(site))
    if len(rates) == 1:
        return rates[0]
    kinds = [n for n in source.around(site) if isinstance(n, ast.ClassDef)]
    calls = bindings(site.file).calls[kinds[-1].name] if kinds else []
    return source.only(source.place(site.file, c) for c in calls) or site


def _rates(site: Site) -> Iterator[Site]:
    for node in (n for piece in source.written_on(site) for n in ast.walk(piece)):
        sides: list[ast.AST] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            both = (node.left, node.right), (node.right, node.left)
            sides = [side for side, other in both if _of_gradient(site.file, other)]
        elif isinstance(node, ast.keyword) and node.arg in ("alpha", "value"):
            sides = [node.value]
        for side in sides:
            side = side.operand if isinstance(side, ast.UnaryOp) else side
            ways = [w for w in values(site, side) if number(w[-1].node) is not None]
            at = source.only(way[-1].site for way in ways)
            if at is not None:
                yield at


def uncalled_clearing(backward: Site | None) -> Site | None:
    """The nearest line that names ``zero_grad`` without calling it, in the function around a backward."""
    nodes = ast.walk(source.function(backward)) if backward is not None else ()
    expressions = [n for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Attribute)]
    named = [source.place(backward.file, n) for n in expressions if source.name_of(n.value) == "zero_grad"]  # type: ignore[union-attr]
    return min(named, key=lambda s: abs(s.line - backward.line), default=None)  # type: ignore[union-attr]


BACKWARD = ("backward", "manual_backward")
RUNNERS = ("autograd", "fabric", "accelerator", "engine", "model_engine")  # their ``backward`` takes the loss
CUT = ("item", "detach", "float", "int", "numpy", "tolist", "len", "argmax", "size", "backward", "data")
STORES = ("append", "appendleft", "add", "extend", "insert", "push", "put", "update", "setdefault", "add_")


def storing_line(site: Site | None, *, result: bool = False) -> Site | None:
    """The nearest line that sums or stores, as a tensor, the loss that is run backward on this line; the line
    itself if none does. result: a net's output instead of a loss."""
    if site is None:
        return None
    statements = (n for n in ast.walk(source.module(site.file)) if isinstance(n, ast.stmt))
    nodes = [n for n in statements if not hasattr(n, "body")]
    held = source.targets(source.statement(site)) if result else set()
    for call in source.calls(source.written_on(site), *BACKWARD):
        held |= source.names(run_backward(call)) - {"self"}
    storing = [source.place(site.file, n) for n in nodes if stores(n, held)]
    apart = [s for s in storing if s.line != site.line]
    inside = source.function(site)
    return min(apart, key=lambda s: (source.function(s) is not inside, abs(s.line - site.line)), default=site)


def stores(node: ast.stmt, held: set[str]) -> bool:
    """Whether a line keeps a value: ``total += loss``, ``losses.append(loss)``, ``log["loss"] = loss``."""
    if isinstance(node, ast.AugAssign):
        return carries(node.value, held - source.targets(node))
    if isinstance(node, ast.Assign):
        outside = any(isinstance(t, ast.Subscript) for t in node.targets)
        adds = bool(source.targets(node) & source.names(node.value))
        return (outside or adds) and carries(node.value, held - source.targets(node))
    call = node.value if isinstance(node, ast.Expr) else None
    stored = isinstance(call, ast.Call) and source.name_of(call) in STORES
    return stored and any(carries(a, held) for a in source.argument_values(call))  # type: ignore[arg-type]


def carries(value: ast.AST, held: set[str]) -> bool:
    """Whether an expression, or a part of it, carries the graph of one of these names."""
    if isinstance(value, (ast.Lambda, ast.Compare)):
        return False
    if isinstance(value, (ast.Call, ast.Attribute)) and source.name_of(value) in CUT:
        return False
    if isinstance(value, (ast.Name, ast.Attribute)) and source.name_of(value) in held:
        return True
    within = (n for n in ast.iter_child_nodes(value) if isinstance(n, (ast.expr, ast.keyword)))
    return any(carries(n, held) for n in within)


def run_backward(call: ast.Call) -> ast.AST | None:
    """What a call runs backward: ``loss.backward()``, ``autograd.backward(loss)``, ``grad(loss, x)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    handed = call.args[0] if call.args else None
    if isinstance(handed, (ast.List, ast.Tuple)) and handed.elts:
        handed = handed.elts[0]
    by_other = source.name_of(of) in RUNNERS or source.name_of(call) in ("grad", "manual_backward")
    return handed if (of is None or by_other) and handed is not None else of
