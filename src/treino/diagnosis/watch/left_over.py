"""Gradients that a backward for the sake of one net leaves in another one, on which that one's next step is
summed: a generator's loss passes through the discriminator, which is not cleared after it.
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.seen import OptimizerSeen

SAMPLE = 256  # entries of each gradient that are compared
MOST = 24  # steps of an optimizer whose directions are compared

Key = tuple[Site | None, frozenset[int]]  # a backward's line, and the optimizers whose gradients it wrote


@dataclass
class State:
    """What is known of the gradients that one optimizer holds."""

    key: Key | None = None  # the backward that wrote them last
    used_by: set[int] = field(default_factory=set)  # other optimizers that have stepped on that backward
    before: list[torch.Tensor | None] | None = None  # what lay there as the newest backward began
    left: list[torch.Tensor | None] | None = None  # what lies under its own backward now
    users: frozenset[int] = frozenset()
    summed_at: Site | None = None
    cosine: float = 0.0  # of what its own backwards have added, and of what lies under it


class LeftOver:
    """Told of backwards and steps by Gradients, and of graphs by Backward. Idle with one optimizer."""

    def __init__(self, followed: dict[int, list[Any]], owner: Any) -> None:
        self.followed, self.owner = followed, owner
        self.states: dict[int, State] = {}
        self.site: Site | None = None
        self._above: set[tuple[int, int]] = set()  # of the graph that runs backward now
        self._known: dict[Key, set[tuple[int, int]]] = {}

    def read_graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        """Which optimizers' parameters lie behind those of others, on every way from the loss."""
        owners = {id(o) for p in leaves if (o := self.owner(p)) is not None}
        if len(owners) > 1 and len(owners) < 5:
            self._above = {(o, p) for o in owners for p in owners - self._without(nodes[0], o)}

    def _without(self, root: Any, above: int) -> set[int]:
        """The optimizers that a walk reaches which stops where this one's parameters are used."""
        reached = {above}
        stack, seen = [root], {root}
        while stack:
            following = [f for f, _ in stack.pop().next_functions if f is not None]
            owners = [o for f in following if (o := self._owner_behind(f)) is not None]
            if above in owners:
                continue
            reached.update(owners)
            for f in following:
                if f not in seen:
                    seen.add(f)
                    stack.append(f)
        return reached

    def _owner_behind(self, node: Any) -> int | None:
        """The optimizer of a parameter that is used as it is, or transposed."""
        for _ in range(3):
            if hasattr(node, "variable"):
                owner = self.owner(node.variable)
                return id(owner) if owner is not None else None
            following = node.next_functions
            if len(following) != 1 or following[0][0] is None:
                return None
            node = following[0][0]
        return None

    def before_backward(self, site: Site | None) -> None:
        """Remember what lies where another optimizer has stepped already."""
        self.site = site
        self._above = set()
        for key, state in self.states.items():
            state.before = self._kept(key) if state.used_by and state.left is None else None

    def _kept(self, key: int) -> list[torch.Tensor | None] | None:
        """Copies of an optimizer's gradients, if none was cleared since they were written."""
        kept: list[torch.Tensor | None] = []
        for f in self.followed[key]:
            p = f.ref()
            g = p.grad if p is not None else None
            if g is not None and not (f.filled and f.same(g) and g._version == f.version):
                return None
            kept.append(g.detach().flatten()[:SAMPLE].clone() if g is not None else None)
        return kept if any(g is not None and bool(g.any()) for g in kept) else None

    def after_backward(self, filled: set[int]) -> None:
        """These optimizers' gradients were written."""
        key = self.site, frozenset(filled)
        if self._above and len(self._known) < 64:
            self._known.setdefault(key, self._above)
        for each in filled:
            state = self.states.setdefault(each, State())
            if state.before is not None and state.key is not None and state.key != key:
                behind = {p for p in state.used_by if (each, p) in self._known.get(state.key, ())}
                if behind:
                    state.left, state.users, state.summed_at = state.before, frozenset(behind), self.site
            if state.left is not None:
                state.cosine = self._cosine(each, state.left)
            state.before, state.key, state.used_by = None, key, set()

    def _cosine(self, key: int, left: list[torch.Tensor | None]) -> float:
        now = [p.grad if (p := f.ref()) is not None else None for f in self.followed[key]]
        pairs = [
            (before, g.detach().flatten()[:SAMPLE] - before)
            for before, g in zip(left, now, strict=False)
            if before is not None and g is not None
        ]
        if not pairs:
            return 0.0
        lower, own = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        scale = float(lower.norm() * own.norm())
        return float(lower @ own) / scale if scale > 0 else 0.0

    def before_step(self, facts: OptimizerSeen) -> None:
        """This step uses what was left over, too."""
        state = self.states.get(id(facts))
        if state is not None and state.left is not None and len(facts.left_over) < MOST:
            facts.left_over.append(state.cosine)
            facts.left_over_at = state.summed_at

    def after_step(self, facts: OptimizerSeen) -> None:
        """An optimizer has used its gradients."""
        mine = id(facts)
        for key, state in self.states.items():
            if key == mine:
                self.states[key] = State()
                continue
            if state.key is not None and mine in state.key[1]:
                state.used_by.add(mine)
            if mine in state.users:
                state.left = None  # its turn, too, so that the sum may well be meant

    def forget(self) -> None:
        """A window opens."""
        self.states.clear()
