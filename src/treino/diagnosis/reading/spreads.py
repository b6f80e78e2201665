"""R², as the source says: differences from the mean along one axis, summed up along another."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.provenance import holders
from treino.diagnosis.reading.source import called, function_of, tree

REDUCES = ("sum", "mean", "nansum", "nanmean")
LIBRARIES = ("np", "numpy", "torch")


def crossed(site: Site) -> bool:
    """Whether a mean on this line is that of a spread in ``1 - error / spread`` that is summed up along the
    other axis.
    """
    around = function_of(site)
    if around is None:
        return False
    means = [c for c in called(around, "mean") if c.lineno <= site.line <= (c.end_lineno or 0)]
    return any(_crossed(around, mean) for mean in means)


def crossed_in_numpy(path: str) -> list[Site]:
    """The lines of a file with such a mean of arrays, in functions that are called."""
    module = tree(path)
    found: list[Site] = []
    for mean in called(module, "mean") if module is not None else []:
        site = Site(path, mean.lineno)
        around = function_of(site)
        used = around is module or bool(called(module, getattr(around, "name", ""))) if module else False
        if used and any(k.arg == "keepdims" for k in mean.keywords) and around and _crossed(around, mean):
            found.append(site)
    return found


def _crossed(around: ast.AST, mean: ast.Call) -> bool:
    axis, base = _axis(mean), _operand(mean)
    if axis is None or base is None or not any(k.arg in ("keepdim", "keepdims") for k in mean.keywords):
        return False
    centre = _names_of(around, mean)
    for apart in ast.walk(around):
        if not isinstance(apart, ast.BinOp) or not isinstance(apart.op, ast.Sub):
            continue
        taken = apart.right is mean or (isinstance(apart.right, ast.Name) and apart.right.id in centre)
        if not taken or ast.dump(apart.left) != ast.dump(base):
            continue
        whole = _names_of(around, apart)
        for total in called(around, *REDUCES):
            inside = list(ast.walk(total))
            named = any(isinstance(n, ast.Name) and n.id in whole for n in inside)
            other = _axis(total)
            if total is mean or other is None or not (apart in inside or named) or (axis - other) % 2 == 0:
                continue
            if _divides(around, total):
                return True
    return False


def _names_of(around: ast.AST, part: ast.AST) -> set[str]:
    """The names that a value is given to, and what is made of it without a further sum."""
    found: set[str] = set()
    for node in ast.walk(around):
        if isinstance(node, ast.Assign) and any(n is part for n in ast.walk(node.value)):
            only = all(any(c is n for n in ast.walk(part)) for c in called(node.value, *REDUCES))
            found |= {t.id for t in node.targets if isinstance(t, ast.Name) and only}
    return found


def _divides(around: ast.AST, total: ast.Call) -> bool:
    """``1 - error / total``"""
    names = holders(around, total)
    for node in ast.walk(around):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
            continue
        share = node.right if isinstance(node.left, ast.Constant) else None
        if isinstance(share, ast.BinOp) and isinstance(share.op, ast.Div):
            below = list(ast.walk(share.right))
            if total in below or any(isinstance(n, ast.Name) and n.id in names for n in below):
                return True
    return False


def _axis(call: ast.Call) -> int | None:
    """The one axis that a call is given as a number."""
    at = 1 if _is_function(call) else 0
    given = [*call.args[at:], *(k.value for k in call.keywords if k.arg in ("dim", "axis"))]
    try:
        value = ast.literal_eval(given[0]) if given else None
    except ValueError:
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _operand(call: ast.Call) -> ast.expr | None:
    if _is_function(call):
        return call.args[0] if call.args else None
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def _is_function(call: ast.Call) -> bool:
    """``torch.sum(x, 0)``, not ``x.sum(0)``."""
    func = call.func
    return isinstance(func, ast.Name) or (
        isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in LIBRARIES
    )
