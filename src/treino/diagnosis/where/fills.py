"""Where weights or biases are begun with values that are all on one side of zero."""

import ast

from treino.diagnosis.finding import Site
from treino.diagnosis.where.back import Step, values
from treino.diagnosis.where.settings import number
from treino.diagnosis.where.source import calls, module, name_of, names, place, remembered

FILLED = ("constant_", "fill_", "uniform_", "normal_", "trunc_normal_", "full", "full_like", "new_full")
VALUES = ("val", "value", "fill_value", "a", "b", "mean")


@remembered
def filled_below(path: str) -> Site | None:
    """The first line that gives weights or biases nothing but values below zero."""
    for node in ast.walk(module(path)):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
            if "bias" in names(node.target) and "grad" not in names(node.value):
                return place(path, node)
        elif isinstance(node, ast.Assign) and "grad" not in names(node.value):
            of = node.targets[0]
            weights = isinstance(of, ast.Attribute) and of.attr == "data"
            if weights and isinstance(node.value, ast.UnaryOp) and calls(node.value, "abs", "rand"):
                return place(path, node)
        elif isinstance(node, ast.Call) and (_fills(path, node) or _made(node)):
            return place(path, node)
    return None


def _fills(path: str, call: ast.Call) -> bool:
    """``constant_(b, -3)``, ``uniform_(-a, 0)``, ``normal_(w, -1, 0.1)``, ``torch.full(n, -3)``."""
    name = name_of(call)
    if name not in FILLED:
        return False
    asked = [*call.args, *(k.value for k in call.keywords if k.arg in VALUES)]
    if "normal" in name:
        asked = asked[:2]
    if name in ("constant_", "fill_") and "bias" in names(call) and asked and _worked_out(path, asked[-1]):
        return True
    below = [v for v in asked if _below(path, v)]
    if not below:
        return False
    top = asked[-1]
    if name.startswith("uniform"):
        return _below(path, top) or (isinstance(top, ast.Constant) and top.value == 0)
    return True


def _made(call: ast.Call) -> bool:
    """``nn.Parameter(-torch.rand(...))``"""
    value = call.args[0] if name_of(call) == "Parameter" and call.args else None
    while isinstance(value, ast.BinOp):
        value = value.left
    return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)


def _worked_out(path: str, value: ast.AST) -> bool:
    """Whether a value is no number that is written down."""
    site = place(path, value)
    return all(number(way[-1]) is None for way in values(site, value))


def _below(path: str, value: ast.AST) -> bool:
    """Whether a value, or what it stands for, is written as one below zero."""
    site = place(path, value)
    for way in values(site, value):
        n = number(way[-1])
        negated = any(_negated(s) for s in way)
        if (n is not None and n < 0) or (n is None and negated):
            return True
    return False


def _negated(step: Step) -> bool:
    return isinstance(step.node, ast.UnaryOp) and isinstance(step.node.op, ast.USub)
