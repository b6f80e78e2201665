"""Weights that a descent by hand leaves out: they get gradients like their neighbours, and never move."""

import weakref
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.seen import LeftOutSeen, Seen

Role = tuple[str, int]  # an operation, and which of its operands
UPDATES = 3  # seen of others


class LeftOut:
    """Listens to the graphs that Backward reads.

    What a leaf is used for tells weights from rows and points that ask for gradients, too: it must be what
    one that moves is used for. The first part of a module may be left as it is, for random features.
    """

    def __init__(self, seen: Seen, backward: Backward) -> None:
        self.seen, self.backward = seen, backward
        self._roles: dict[int, tuple[weakref.ref[torch.Tensor], Role, Site | None]] = {}
        self._before: dict[int, set[int]] = {}  # of a module's parameter, the leaves that lie before it
        backward.graph_listeners.append(self._graph)

    def _graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        owner = self.backward.gradients.owner
        free = {id(p): p for p in leaves if owner(p) is None and id(p) not in self._roles}
        if not free or self.seen.optimizers:
            return
        for node in nodes:
            for place, (following, _) in enumerate(node.next_functions):
                made, _ = graph.source(following, None) if following is not None else (None, None)
                p = free.get(id(made.variable)) if hasattr(made, "variable") else None  # type: ignore[union-attr]
                if p is not None and node.name() not in graph.PASS:
                    self._roles.setdefault(id(p), (weakref.ref(p), (node.name(), place), site))
                    if isinstance(p, torch.nn.Parameter):
                        self._before[id(p)] = {id(q) for q in graph.leaves(graph.walk(node))}

    def finish(self) -> None:
        """What got gradients all the time while others, used alike, moved down theirs."""
        moves = self.backward.moves()
        moved = {role for key, (_, role, _) in self._roles.items() if moves.get(key, 0) >= UPDATES}
        for key, (reference, role, site) in self._roles.items():
            if not self._before.get(key, moves.keys()) & moves.keys():
                continue
            if role in moved and (shape := self.backward.never_moved(key, reference)) is not None:
                self.seen.manual.left_out.append(LeftOutSeen(shape, site, max(moves.values())))
