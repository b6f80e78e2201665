"""Torch's own graph of a value: the leaves behind it."""

from typing import Any

import torch

from treino.diagnosis.record.reach import reached

MOST = 4000  # nodes


def walk(node: Any, most: int = MOST) -> list[Any]:
    """A node and those before it, nearest first."""
    return reached(node, lambda one: [before for before, _ in one.next_functions], most)


def leaves(value: torch.Tensor | None, most: int = MOST) -> list[torch.Tensor]:
    """The leaves that backward would reach from here, this one too if it is one."""
    if value is None or not value.requires_grad:
        return []
    if value.grad_fn is None:
        return [value]
    return [n.variable for n in walk(value.grad_fn, most) if hasattr(n, "variable")]


def users(nodes: list[Any], leaf: torch.Tensor) -> list[Any]:
    """The nodes that use a leaf."""
    return [n for n in nodes if any(getattr(b, "variable", None) is leaf for b, _ in n.next_functions)]
