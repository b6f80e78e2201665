"""Where weights or biases are begun with values that are all on one side of zero."""

import ast

from treino.diagnosis.where.back import Step, values
from treino.diagnosis.where.settings import number
from treino.diagnosis.where.source import name_of, place

FILLED = ("constant_", "fill_", "uniform_", "normal_", "trunc_normal_", "full", "full_like", "new_full")
VALUES = ("val", "value", "fill_value", "a", "b", "mean")


def _made(call: ast.Call) -> bool:
    """``nn.Parameter(-torch.rand(...))``"""
    value = call.args[0] if name_of(call) == "Parameter" and call.args else None
    while isinstance(value, ast.BinOp):
        value = value.left
    return isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)


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
