"""Orders that rows or their labels were put in alone, by one index of all of them."""

from typing import Any

import torch

from treino.diagnosis.record.tape import Tape
from treino.diagnosis.record.values import Node, made_of

LEAST = 40  # rows
MOST = 64  # indices that are looked into
KEEPS = frozenset(("getitem", "index_select", "to", "view", "reshape", "unsqueeze", "squeeze", "leaf", "div"))


class Orders:
    """Listens to rows that are indexed by a permutation of all of them. any: there were some."""

    def __init__(self, tape: Tape) -> None:
        self._left, self.any = MOST, False
        tape.observe(self._indexed, "getitem", "index_select")

    def _indexed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        index = args[-1] if args else None
        early = node is not None and not node.step and not node.forwards
        if node is None or not early or not isinstance(index, torch.Tensor) or not self._left:
            return
        if index.dim() != 1 or index.dtype != torch.int64 or not LEAST <= len(index) == len(args[0]):
            return
        self._left -= 1
        if torch.equal(index.sort().values, torch.arange(len(index))) and len(node.parents) > 1:
            node.detail, self.any = node.detail | {"order": len(index)}, True


def alone(rows: Node | None, labels: Node | None) -> Node | None:
    """The index of rows or of labels that the other was not put in the order of; None where all is well, or
    where rows were made of others (a mixture, a sorted table).
    """
    if rows is None or labels is None:
        return None
    one, two = made_of(rows, 32), made_of(labels, 32)
    if any(n.op == "sort" or n.op == "argsort" for n in (*one, *two)):
        return None
    first, second = (
        {id(n.parents[1]): n for n in way if n.detail.get("order") and len(n.parents) > 1}
        for way in (one, two)
    )
    single = first.keys() ^ second.keys()
    found = next((n for k, n in (first | second).items() if k in single), None)
    way = one if found in one else two
    sized = [n for n in way if found and n.parents and n.shape[:1] == found.shape[:1]]
    straight = all(n.op in KEEPS for n in sized)
    return found if straight else None
