"""Where a loss was computed, what it was given, and where that is to be mended."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import values
from treino.diagnosis.where.placement import sole_call
from treino.diagnosis.where.settings import word
from treino.diagnosis.where.source import (
    calls,
    name_of,
    same,
    written_on,
)

BACKWARD = ("backward", "manual_backward")
RUNNERS = ("autograd", "fabric", "accelerator", "engine", "model_engine")  # their method is given the loss


def taken(made: Site | None, *words: str) -> Site | None:
    """Where one of these functions was chosen, which a loss should not be given: the line itself where that
    isn't known.
    """
    at = word(made, *words)
    return sole_call(made, *words) if same(at, made) else at


def run_backward(call: ast.Call) -> ast.AST | None:
    """What a call runs backward: ``loss.backward()``, ``autograd.backward(loss)``, ``grad(loss, x)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    handed = call.args[0] if call.args else None
    if isinstance(handed, (ast.List, ast.Tuple)) and handed.elts:
        handed = handed.elts[0]
    by_other = of is None or name_of(of) in RUNNERS or name_of(call) in ("grad", "manual_backward")
    return handed if by_other and handed is not None else of


def loss_made(site: Site | None) -> Site | None:
    """Where the value was computed that is run backward on this line; the line itself where none is known."""
    if site is None:
        return None
    for call in calls(written_on(site), *BACKWARD):
        node = run_backward(call)
        if isinstance(node, ast.Call) and name_of(node) == "scale" and node.args:
            node = node.args[0]
        while isinstance(node, ast.BinOp):  # loss / accumulate
            node = node.left
        for way in values(site, node) if node is not None else []:
            if not same(way[-1].site, site):
                return way[-1].site
    return site
