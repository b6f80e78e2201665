"""Weights that a descent by hand leaves out: they get gradients like their neighbours, and never move."""

import weakref
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.seen import LeftOutSeen, Seen

Role = tuple[str, int]  # an operation, and which of its operands
UPDATES, ASKED = 3, 12  # seen of others; gradients that were asked for


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
        free = {id(p): p for p in leaves if owner(p) is None and not self._knows(p)}
        if not free or self.seen.optimizers:
            return
        for key, (name, place, node) in graph.roles(nodes).items():
            p = free.get(key)
            if p is not None:
                self._roles[key] = weakref.ref(p), (name, place), site
                if isinstance(p, torch.nn.Parameter):
                    self._before[key] = {id(q) for q in graph.leaves(graph.walk(node))}

    def _knows(self, p: torch.Tensor) -> bool:
        known = self._roles.get(id(p))
        return known is not None and known[0]() is p

    def finish(self) -> None:
        """What got gradients, or none was asked for, all the time while others, used alike, moved."""
        moves = self.backward.leaves.moves()
        asked = {key: facts.steps for key, (_, facts) in self.backward.gradients.by_hand.items()}
        for steps, least in ((moves, UPDATES), (asked, ASKED)):
            moved = {role for key, (_, role, _) in self._roles.items() if steps.get(key, 0) >= least}
            for key, (reference, role, site) in self._roles.items():
                before = self._before.get(key)
                if role not in moved or key in steps or (before is not None and not before & steps.keys()):
                    continue
                shape = self.backward.leaves.never_moved(key, reference, asked=steps is asked)
                if shape is not None:
                    self.seen.manual.left_out.append(LeftOutSeen(shape, site, max(steps.values())))
