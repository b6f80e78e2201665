"""Graphs gone through breadth first: torch's own, and those of values and operations."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Node = TypeVar("Node")


def reached(first: Node | None, before: Callable[[Node], Iterable[Node | None]], most: int) -> list[Node]:
    """A node and those before it, nearest first, so many at the most."""
    found = [first] if first is not None else []
    known = {id(one) for one in found}
    for one in found:
        for other in before(one):
            if other is not None and id(other) not in known and len(found) < most:
                known.add(id(other))
                found.append(other)
    return found
