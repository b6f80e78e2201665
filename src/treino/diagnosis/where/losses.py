"""Where a loss was computed, what it was given, and where that is to be mended."""

import ast
from typing import Any

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import values
from treino.diagnosis.where.calls import OBJECTS, call_sites, returned
from treino.diagnosis.where.places import sole_call
from treino.diagnosis.where.settings import spells, word
from treino.diagnosis.where.source import (
    Function,
    calls,
    function,
    given,
    name_of,
    place,
    same,
    statement,
    targets,
    written_on,
)

BACKWARD = ("backward", "manual_backward")
RUNNERS = ("autograd", "fabric", "accelerator", "engine", "model_engine")  # their method is given the loss


def taken(made: Site | None, callers: tuple[Site, ...], *words: str) -> Site | None:
    """Where a loss takes what one of these functions made on a line, and should not: of a helper that gives
    it to others, too, the call; or where the function was chosen; or the line itself.

    callers: the line of the loss and those that led to it.
    """
    inside = function(made) if made is not None else None
    if made is not None and isinstance(inside, Function) and callers and function(callers[0]) is not inside:
        if _gives_both(made, inside, {w.lower() for w in words}):
            return callers[0]
        led = [place(made.file, c) for c, _ in call_sites(made.file, inside)]
        shared = len({id(function(s)) for s in led}) > 1 and inside.name not in OBJECTS
        for site in callers if shared else ():
            lines = [s for s in led if function(s) is function(site) and s.line <= site.line]
            if lines:
                return lines[-1]
    at = word(made, *words)
    return sole_call(made, *words) if same(at, made) else at


def _gives_both(made: Site, inside: Any, low: set[str]) -> bool:
    """Whether a function returns what a line squashes beside what comes out of it."""
    said = statement(made)
    own = targets(said) if said is not None else set()
    for value in returned(made.file, inside):
        parts = getattr(value, "elts", None) or getattr(value, "values", None) or []
        if isinstance(value, ast.Call):
            parts = given(value)
        squashed = [p for p in parts if spells(p, low) or name_of(p) in own]
        raw = {name_of(a) for p in squashed for c in calls(p) for a in c.args} | {
            name_of(a) for c in calls(said) for a in (*c.args, getattr(c.func, "value", c))
        }
        if squashed and any(name_of(p) in raw - {""} for p in parts if p not in squashed):
            return True
    return False


def run_backward(call: ast.Call) -> ast.AST | None:
    """What a call runs backward: ``loss.backward()``, ``autograd.backward(loss)``, ``grad(loss, x)``."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    handed = call.args[0] if call.args else None
    if isinstance(handed, (ast.List, ast.Tuple)) and handed.elts:
        handed = handed.elts[0]
    by_other = of is None or name_of(of) in RUNNERS or name_of(call) in ("grad", "manual_backward")
    return handed if by_other and handed is not None else of


def loss_made(site: Site | None, *, within: bool = True) -> Site | None:
    """Where the value was computed that is run backward on this line; the line itself where that isn't known.

    within: in the function of the file that computes it, and not where that is called.
    """
    if site is None:
        return None
    for call in calls(written_on(site), *BACKWARD, "grad"):
        run = run_backward(call)
        while isinstance(run, ast.Call) and not within and run.args:
            run = run.args[0]
        scaled = isinstance(run, ast.Call) and name_of(run) == "scale" and bool(run.args)
        node = run.args[0] if scaled and isinstance(run, ast.Call) else run
        while isinstance(node, ast.BinOp):  # loss / accumulate
            node = node.left
        for way in values(site, node) if node is not None else []:
            kept = [s for s in way if within or s.how in ("assigned", "changed", "here")]
            if len(kept) > 1 and not same(kept[-1].site, site):
                return kept[-1].site
    return site
