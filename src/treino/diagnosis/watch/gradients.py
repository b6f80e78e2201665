"""The state of gradients across backward, clearing and steps; never the count of calls.

A gradient that a step has used is remembered as an object with its version. If the next backward adds to that
very object it is tainted; a step of an optimizer that owns it while it is tainted is the fault. Clearing in
any way (None, zero_, a fresh tensor) lifts the taint. What one net's loss leaves in another is LeftOver's.
"""

import weakref
from collections.abc import Callable
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.left_over import LeftOver
from treino.diagnosis.watch.seen import OptimizerSeen, Seen
from treino.diagnosis.watch.where import maker

FULL_STEPS = 24  # every parameter is followed for so many steps, then a few of each optimizer
FEW = 8


class Followed:
    """One parameter and what is known of its gradient."""

    __slots__ = (
        "filled",
        "filled_by",
        "grad",
        "key",
        "owner",
        "ref",
        "tainted",
        "tainted_by",
        "used",
        "version",
    )

    def __init__(self, p: torch.Tensor, owner: OptimizerSeen) -> None:
        self.ref = weakref.ref(p)
        self.key = id(p)
        self.owner = owner
        self.grad: weakref.ref[torch.Tensor] | None = None
        self.version = -1
        self.used = self.tainted = self.filled = False
        self.tainted_by: Site | None = None
        self.filled_by: Site | None = None

    def same(self, g: torch.Tensor | None) -> bool:
        return g is not None and self.grad is not None and self.grad() is g


class Gradients:
    """Follows the parameters of every optimizer that there is."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.facts: weakref.WeakKeyDictionary[Any, OptimizerSeen] = weakref.WeakKeyDictionary()
        self.optimizers: list[tuple[weakref.ref[Any], OptimizerSeen]] = []
        self.followed: dict[int, list[Followed]] = {}  # id(facts) -> its parameters
        self.owners: dict[int, tuple[weakref.ref[torch.Tensor], OptimizerSeen]] = {}
        self.by_hand: dict[int, tuple[weakref.ref[torch.Tensor], OptimizerSeen]] = {}
        self.left_over = LeftOver(self.followed, self.owner)
        self.cleared_at: Site | None = None
        self.clears = 0
        self.backward_site: Site | None = None  # of the backward that runs or ran last
        self.fill_listeners: list[Any] = []
        self._before: list[tuple[Followed, torch.Tensor, torch.Tensor | None, int, bool]] = []
        self._first_values: dict[int, torch.Tensor] = {}
        self._clears_at_step: dict[int, int] = {}  # id(facts) -> clearings until its newest step
        self.around_closure: tuple[Callable[[], None], ...] = (lambda: None, lambda: None)
        self._in_closure: OptimizerSeen | None = None
        self._closure_tainted = self._closure_cleared = self._closure_idle = False

    # --- optimizers -----------------------------------------------------------------------------------------
    def made(self, optimizer: Any) -> OptimizerSeen:
        """Facts of an optimizer, new ones at the first sight."""
        facts = self.facts.get(optimizer)
        if facts is None:
            kind = type(optimizer).__name__
            facts = OptimizerSeen(
                kind, maker(optimizer), adaptive="ada" in kind.lower() or "rms" in kind.lower()
            )
            self.facts[optimizer] = facts
            self.optimizers.append((weakref.ref(optimizer), facts))
            self.seen.optimizers.append(facts)
            self.followed[id(facts)] = []
            for group in getattr(optimizer, "param_groups", ()):
                self.own(optimizer, group["params"])
            facts.holds = len(self.followed[id(facts)])
        return facts

    def own(self, optimizer: Any, params: Any) -> None:
        """These parameters belong to the optimizer from now on."""
        facts = self.facts.get(optimizer)
        if facts is None:
            self.made(optimizer)
            return
        known = {id(f.ref()) for f in self.followed[id(facts)]}
        for p in params:
            if id(p) not in known:
                self.followed[id(facts)].append(Followed(p, facts))
                facts.without_gradient.add(id(p))
                before = self.owner(p)
                if before is not None and before is not facts:
                    facts.shares_with.append(before)
                    before.shares_with.append(facts)
                self.owners[id(p)] = (weakref.ref(p), facts)

    def owner(self, p: torch.Tensor) -> OptimizerSeen | None:
        """The optimizer that owns, or once owned, this tensor."""
        found = self.owners.get(id(p))
        return found[1] if found is not None and found[0]() is p else None

    def moves(self, facts: OptimizerSeen, p: torch.Tensor) -> bool:
        """Whether a tensor is owned by this optimizer, or moved by this line that is none."""
        found = self.by_hand.get(id(p)) if not self.owner(p) else None
        return self.owner(p) is facts or (found is not None and found[0]() is p and found[1] is facts)

    def forget(self) -> None:
        """A window opens: what was known of gradients is too old."""
        for followed in self.followed.values():
            for f in followed:
                f.used = f.tainted = f.filled = False
        self.left_over.forget()

    def _tracked(self, facts: OptimizerSeen) -> list[Followed]:
        every = self.followed[id(facts)]
        if facts.steps < FULL_STEPS or len(every) <= FEW:
            return every
        stride = (len(every) - 1) / (FEW - 1)
        return [every[round(i * stride)] for i in range(FEW)]

    # --- backward -------------------------------------------------------------------------------------------
    def before_backward(self) -> None:
        """Remember every followed gradient, and see which used ones were cleared meanwhile."""
        before: list[tuple[Followed, torch.Tensor, torch.Tensor | None, int, bool]] = []
        self._before = before
        if len(self.optimizers) > 1:
            self.left_over.before_backward(self.backward_site)
        candidates: list[tuple[int, torch.Tensor]] = []
        for optimizer, facts in self.optimizers:
            if optimizer() is None and facts.steps:
                continue
            tracked = self._tracked(facts)
            for f in tracked:
                p = f.ref()
                if p is None:
                    continue
                g = p.grad
                if g is None:
                    if f.filled:
                        self._lost(f)
                    f.used = f.tainted = False
                    before.append((f, p, None, -1, False))
                    continue
                v = g._version
                uncleared = False
                if f.used or f.tainted:
                    uncleared = v == f.version and f.grad is not None and f.grad() is g
                    if uncleared:
                        candidates.append((len(before), g))
                    else:
                        if f.filled:
                            self._lost(f)
                        f.used = f.tainted = False
                elif f.filled and v != f.version and f is tracked[0] and not bool(g.detach().any()):
                    self._lost(f)  # cleared in place
                before.append((f, p, g, v, uncleared))
        if candidates and self._is_cleared(candidates):  # p.grad.data.zero_() leaves no trace but the zeros
            for i, _ in candidates:
                f, p, g, v, _u = before[i]
                f.used = f.tainted = False
                before[i] = (f, p, g, v, False)

    @staticmethod
    def _is_cleared(candidates: list[tuple[int, torch.Tensor]]) -> bool:
        for g in (candidates[-1][1], candidates[0][1], candidates[len(candidates) // 2][1]):
            if bool(g.detach().any()):
                return False
        return True

    def _lost(self, f: Followed) -> None:
        """A gradient was cleared before any step used it."""
        f.filled = False
        every = self.followed[id(f.owner)]
        if every and every[0] is f:
            f.owner.discarded[f.filled_by] += 1
            f.owner.discarded_at = self.cleared_at

    def after_backward(self, site: Site | None) -> None:
        """See which gradients were written, and whether onto used ones."""
        filled = self._written(site, self._before)
        self._before, self.cleared_at = [], None
        if len(self.optimizers) > 1:
            self.left_over.after_backward(filled)
        for listener in self.fill_listeners:
            listener(filled)

    def _written(self, site: Site | None, before: list[Any]) -> set[int]:
        filled: set[int] = set()
        for f, p, g0, v0, uncleared in before:
            g = p.grad
            if g is None:
                continue
            v = g._version
            if g is g0:
                if v == v0:
                    continue
                if uncleared:
                    f.tainted, f.tainted_by = True, site
                    if self.clears > self._clears_at_step.get(id(f.owner), self.clears):
                        f.owner.cleared_between = self.cleared_at
                f.used = False if not uncleared else f.used
            elif uncleared and g.grad_fn is not None:  # create_graph sums into a new tensor
                f.tainted, f.tainted_by = True, site
            else:
                f.used = f.tainted = False
            if g is not g0 or f.grad is None or f.grad() is not g:
                f.grad = weakref.ref(g)
            f.version = v
            f.filled, f.filled_by = True, site
            facts = f.owner
            if id(facts) not in filled:
                filled.add(id(facts))
                facts.filled += 1
                facts.filled_at = site
                if facts.steps == 0:
                    self._remember_values(facts)
            if facts.without_gradient:
                facts.without_gradient.discard(id(p))
        return filled

    def _remember_values(self, facts: OptimizerSeen) -> None:
        if facts.filled & (facts.filled - 1):
            return
        p = self.followed[id(facts)][0].ref()
        if p is not None:
            value = p.detach().flatten()[:64]
            first = self._first_values.setdefault(id(facts), value.clone())
            facts.never_moved = torch.equal(value, first)

    # --- steps ----------------------------------------------------------------------------------------------
    def before_step(self, optimizer: Any, facts: OptimizerSeen, args: Any, kwargs: Any) -> Any:
        """Judge the gradients that this step is about to use; wraps a closure, since it makes its own."""
        facts.judged += 1
        if facts.steps < 8 or facts.steps % 16 == 0:
            facts.stepped_at = here()
        site = facts.stepped_at
        closure = kwargs.get("closure") or next((a for a in args[1:] if callable(a)), None)
        if closure is not None:
            self._in_closure = facts
            self._closure_tainted = self._closure_cleared = self._closure_idle = False
            wrapped = self._watched_closure(closure, facts)
            if "closure" in kwargs:
                return args, {**kwargs, "closure": wrapped}
            return tuple(wrapped if a is closure else a for a in args), kwargs
        if self._before:  # a hook steps inside of backward: these gradients are complete
            mine = [entry for entry in self._before if entry[0].owner is facts]
            self._before = [entry for entry in self._before if entry[0].owner is not facts]
            self._written(self.backward_site, mine)
        if facts.filled == 0 and facts.steps == 0 and not self.seen.backwards:
            return None  # torch.func and friends fill .grad by hand
        self._got_gradients(facts)
        self.left_over.before_step(facts)
        tainted = cleared = alive = 0
        by: Site | None = None
        for f in self._tracked(facts):
            p = f.ref()
            if p is None:
                continue
            g = p.grad
            if f.filled:
                if g is None:
                    cleared += 1
                    continue
                changed = g._version != f.version or not f.same(g)
                if changed and not bool(g.detach().any()):
                    cleared += 1
                    continue
                alive += 1
                if f.tainted and f.same(g):
                    tainted += 1
                    by = f.tainted_by
            elif g is not None and not (facts.discarded and not bool(g.detach().any())):
                alive += 1  # no zeros that a clearing left
        if tainted:
            facts.tainted_steps += 1
            facts.tainted_at = by or facts.tainted_at
        if cleared and not alive:
            facts.cleared_steps += 1
            facts.cleared_at = self.cleared_at or site
        if not cleared and not alive:
            facts.idle_steps += 1
        return None

    def _watched_closure(self, closure: Any, facts: OptimizerSeen) -> Any:
        calls = 0

        def watched() -> Any:
            nonlocal calls
            if calls:
                self._mark_used(facts)
            calls += 1
            begin, end = self.around_closure
            begin()
            try:
                result = closure()
            finally:
                end()
            self._got_gradients(facts)
            self._closure_idle = all(
                (p := f.ref()) is None or p.grad is None for f in self.followed[id(facts)]
            )
            for f in self.followed[id(facts)]:
                if f.tainted:
                    self._closure_tainted = True
                    facts.tainted_at = f.tainted_by
                    break
            filled = [f for f in self.followed[id(facts)] if f.filled]
            self._closure_cleared = bool(filled) and all(self._emptied(f) for f in filled)
            return result

        return watched

    def _got_gradients(self, facts: OptimizerSeen) -> None:
        """Parameters that have a gradient now are none that never got one."""
        for f in self.followed[id(facts)] if facts.without_gradient else ():
            p = f.ref()
            if p is not None and p.grad is not None:
                facts.without_gradient.discard(id(p))

    @staticmethod
    def _emptied(f: Followed) -> bool:
        """Whether a gradient was cleared since the backward that wrote it (it may well be zero by itself)."""
        p = f.ref()
        g = p.grad if p is not None else None
        return g is None or ((g._version != f.version or not f.same(g)) and not bool(g.detach().any()))

    def after_step(self, facts: OptimizerSeen) -> None:
        """All gradients that the optimizer holds now have been used."""
        if self._in_closure is facts:
            facts.tainted_steps += self._closure_tainted
            facts.idle_steps += self._closure_idle
            if self._closure_cleared:
                facts.cleared_steps += 1
                facts.cleared_at = self.cleared_at or facts.stepped_at
            self._in_closure = None
        self._mark_used(facts)
        self.left_over.after_step(facts)

    def _mark_used(self, facts: OptimizerSeen) -> None:
        first = True
        self._clears_at_step[id(facts)] = self.clears
        for f in self._tracked(facts):
            p = f.ref()
            if p is None:
                continue
            if f.filled and first and f.same(p.grad):
                facts.used[f.filled_by] += 1
            first = False
            g = p.grad
            f.filled = f.tainted = False
            f.used = g is not None
            if g is not None:
                if f.grad is None or f.grad() is not g:
                    f.grad = weakref.ref(g)
                f.version = g._version
