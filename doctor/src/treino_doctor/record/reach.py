"""Breadth-first walks through graphs: of values, of operations, and torch's own."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch

Node = TypeVar("Node")
MOST = 4000  # maximum number of nodes of torch's own graph


def reached(first: Node | None, before: Callable[[Node], Iterable[Node | None]], most: int) -> list[Node]:
    """A node and its ancestors, nearest first; at most ``most``."""
    nodes = [first] if first is not None else []
    known = {id(one) for one in nodes}
    for one in nodes:
        for other in before(one):
            if other is not None and id(other) not in known and len(nodes) < most:
                known.add(id(other))
                nodes.append(other)
    return nodes


def walk(node: Any, most: int = MOST) -> list[Any]:
    """A node of torch's graph and its ancestors, nearest first."""
    return reached(node, lambda one: [before for before, _ in one.next_functions], most)


def in_order(node: Any, most: int) -> list[Any]:
    """A node of torch's graph and its ancestors, each after its own ancestors."""
    order: list[Any] = []
    known, open_nodes = {id(node)}, [(node, iter(node.next_functions))]
    while open_nodes:
        _node, rest = open_nodes[-1]
        before = next((b for b, _ in rest if b is not None and id(b) not in known), None)
        if before is not None and len(known) < most:
            known.add(id(before))
            open_nodes.append((before, iter(before.next_functions)))
        else:
            order.append(open_nodes.pop()[0])
    return order


def leaves(value: torch.Tensor | None, most: int = MOST) -> list[torch.Tensor]:
    """The leaves that a backward from this value reaches; the value itself if it is a leaf."""
    if value is None or not value.requires_grad:
        return []
    if value.grad_fn is None:
        return [value]
    return [n.variable for n in walk(value.grad_fn, most) if hasattr(n, "variable")]
