"""Parameters that were frozen as an optimizer was made, and were opened later without being given to it."""

import weakref
from collections.abc import Callable

import torch

from treino.diagnosis.watch.seen import OptimizerSeen, Seen

Owner = Callable[[torch.Tensor], OptimizerSeen | None]


class Frozen:
    """One parameter as it was when an optimizer was made without it."""

    __slots__ = ("before", "makers", "ref", "steps")

    def __init__(self, p: torch.Tensor, before: OptimizerSeen | None) -> None:
        self.ref = weakref.ref(p)
        self.before = before  # the optimizer that had trained it until then
        self.steps = before.steps if before is not None else 0
        self.makers: set[int] = set()  # id(facts) of the optimizers made meanwhile


class Opened:
    """Tells which parameters were meant to join a training that none of its optimizers knows of."""

    def __init__(self, seen: Seen, owner: Owner) -> None:
        self.seen, self.owner = seen, owner
        self._frozen: dict[int, Frozen] = {}
        self._asked: set[int] = set()

    def __contains__(self, p: torch.Tensor) -> bool:
        """Whether an optimizer that was made while it was frozen is at work, and no other one takes it."""
        f = self._frozen.get(id(p))
        if f is None or f.ref() is not p or not p.requires_grad or self.owner(p) is not f.before:
            return False
        return (f.before is None or f.before.steps == f.steps) and not self._left_out_later(f)

    def _left_out_later(self, f: Frozen) -> bool:
        """Whether an optimizer was given others that were frozen with it: it leaves this one out."""
        return any(
            id(self.owner(p)) in f.makers & g.makers
            for g in self._frozen.values()
            if (p := g.ref()) is not None
        )

    def was_frozen(self, p: torch.Tensor) -> bool:
        return id(p) in self._frozen

    def left_out_by(self, p: torch.Tensor, optimizer: OptimizerSeen | None) -> bool:
        """Whether it was frozen when this optimizer was made: a later one leaves it out on purpose."""
        f = self._frozen.get(id(p))
        return f is not None and id(optimizer) in f.makers

    def freeze(self, p: torch.Tensor, optimizer: OptimizerSeen) -> None:
        """A parameter is frozen as this optimizer is made."""
        before = self.owner(p)
        if before is optimizer:
            return
        f = self._frozen.get(id(p))
        if f is None or f.ref() is not p or f.before is not before or (before and before.steps != f.steps):
            f = self._frozen[id(p)] = Frozen(p, before)
        f.makers.add(id(optimizer))

    def look_again(self) -> None:
        """Where parameters were opened since: read the next graph of each line, as if it were a new one."""
        opened = {k for k, f in self._frozen.items() if k not in self._asked and self._is_open(f)}
        if opened:
            self._asked |= opened
            for facts in self.seen.backwards.values():
                facts.sizes.clear()

    def _is_open(self, f: Frozen) -> bool:
        p = f.ref()
        return p is not None and p.requires_grad
