"""Seeds that are set and orders that are drawn: whether epochs see the same random numbers."""

import ast
import random
import sys
from collections import deque
from collections.abc import Hashable
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.seeding import only_seeds
from treino.diagnosis.reading.source import called, remembered, statement_at, tree
from treino.diagnosis.record.lines import is_own
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.output import Net, Output
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import SeedSeen, Seen
from treino.diagnosis.watch.where import outside, stack

LEAST = 10  # rows; shorter orders are equal by chance
EARLY, LONG = 64, 1_000_000  # orders before the first step that are looked at, and their rows
HELPERS = ("seed", "determin", "reprod")  # functions whose caller is meant
SAMPLERS = "utils/data/sampler.py"
Steps = dict[int, int]  # optimizer -> its steps


class Draws:
    """Wraps the seeding functions, and those through which loaders draw.

    A generator of torch is seeded out of our sight: the order that it draws gives it away.
    """

    def __init__(self, seen: Seen, patches: Patches, nets: Nets) -> None:
        self.seen, self.patches, self.nets = seen, patches, nets
        self._seeds: dict[tuple[Site, str], tuple[int, Steps]] = {}
        self._newest: list[tuple[Site, str]] = []
        self._orders: dict[Site, deque[tuple[Hashable, Steps]]] = {}  # the newest orders drawn on a line
        self._callers: dict[Site, tuple[Site, ...]] = {}
        self._again: dict[Site, Steps] = {}  # drawn again since nets were last called
        self._began: set[Site] = set()  # the same order came before the first step, too
        self._early = 0  # orders that were drawn before it
        self._open: list[tuple[Site, Steps]] = []  # drawn again for training: does that optimizer go on?
        nets.row_listeners.append(self._entered)

    def install(self) -> None:
        """Put the wraps on; seeds that ``fork_rng`` or a saved state takes back don't count."""
        patches = self.patches
        seeders: list[tuple[Any, str]] = [(torch, "manual_seed"), (torch.random, "manual_seed")]
        seeders += [(random, "seed"), (np.random, "seed")]
        for owner, name in seeders:
            patches.before(owner, name, self._seeded(f"{owner.__name__}.{name}"))
        patches.before(np.random, "default_rng", self._generator_made)
        patches.before(random.Random, "seed", lambda args, kwargs: self._generator_made(args[1:], kwargs))
        patches.replace(np.random, "RandomState", self._generators(np.random.RandomState))
        for owner, name in ((torch, "set_rng_state"), (torch.random, "set_rng_state"), (random, "setstate")):
            patches.before(owner, name, self._restored)
        patches.after(torch, "randperm", self._drawn)
        for name in ("multinomial", "randint"):
            patches.after(torch, name, self._sampled)
        for name in ("rand", "randn"):
            patches.after(torch, name, self._by_generator)

    def _steps(self) -> Steps:
        """Leaves that are made anew at each step don't tell whether another training has begun."""
        by_hand = [o for o in self.seen.by_hand if not o.anew]
        steps = {id(o): o.steps for o in (*self.seen.optimizers, *by_hand) if o.steps}
        return steps if steps else self.nets.backward.leaves.moves()

    def _seeded(self, kind: str) -> Any:
        def observe(args: Any, kwargs: Any) -> None:
            self._seed(kind, args[0] if args else kwargs.get("seed", kwargs.get("a")))

        return observe

    def _generator_made(self, args: Any, kwargs: Any) -> None:
        """A generator with the same seed as before: what is drawn of it will be the same too."""
        seed = seed_of(args[0] if args else kwargs.get("seed"))
        if seed is not None:
            self.drew(seed)

    def _generators(self, kind: Any) -> Any:
        """A generator's class in its own place, which tells of those that a person's own line makes."""
        patches, made = self.patches, self._generator_made

        class Watched(type(kind)):  # type: ignore[misc]
            def __call__(cls, *args: Any, **kwargs: Any) -> Any:
                if cls is not watched:
                    return super().__call__(*args, **kwargs)
                if is_own(sys._getframe(1).f_code.co_filename) and patches.watching():
                    try:
                        made(args, kwargs)
                    except Exception as error:
                        patches.defect("RandomState", error)
                return kind(*args, **kwargs)

            def __instancecheck__(cls, one: Any) -> bool:
                return isinstance(one, kind) if cls is watched else super().__instancecheck__(one)

            def __subclasscheck__(cls, other: Any) -> bool:
                return issubclass(other, kind) if cls is watched else super().__subclasscheck__(other)

        own = {"__doc__": kind.__doc__, "__module__": kind.__module__}
        watched = Watched(kind.__name__, (kind,), own)
        return watched

    def drew(self, order: Hashable) -> None:
        """An order, or what it follows from: the very same on the same line as before?"""
        own = stack()
        if own:
            self._callers[own[0]] = own
            self._drew(own[0], order)

    def _seed(self, kind: str, seed: Any) -> None:
        self.seen.seeded.add(self.nets.steps)
        site = outside(HELPERS)
        if site is not None and only_seeds(site):
            site = next((s for s in stack() if not only_seeds(s)), site)
        if site is None or not isinstance(seed, int):
            return
        facts = self.seen.seeds.get(site)
        if facts is None:
            facts = self.seen.seeds[site] = SeedSeen(site)
        facts.calls += 1
        steps = self._steps()
        last = self._seeds.get((site, kind))
        if last is not None and last[0] == seed and _went_on(last[1], steps):
            facts.same += 1
        facts.seed = seed
        self._seeds[site, kind] = (seed, steps)
        self._newest.append((site, kind))
        del self._newest[:-8]

    def _restored(self, args: Any, kwargs: Any) -> None:
        """A saved state was put back (fork_rng does it too): the seeds since then changed nothing for
        training.
        """
        for key in self._newest:
            self._seeds.pop(key, None)
        self._newest.clear()

    def _drawn(self, result: Any, args: Any, kwargs: Any) -> None:
        """An order was drawn: the very same on the same line as before, though an optimizer has gone on?"""
        if result.numel() >= LEAST and (self.seen.steps or self._is_early(result)):
            self.drew(hash(result.detach().numpy().tobytes()))

    def _is_early(self, result: Any) -> bool:
        """Whether this may be the order of a first epoch, before the first step: few are looked at."""
        self._early += 1
        return self._early <= EARLY and result.numel() <= LONG and result.device.type == "cpu"

    def _by_generator(self, result: Any, args: Any, kwargs: Any) -> None:
        """Numbers of a generator of one's own: sorted they are an order, added they are noise."""
        if kwargs.get("generator") is not None and result.device.type == "cpu":
            self._drawn(result, args, kwargs)

    def _sampled(self, result: Any, args: Any, kwargs: Any) -> None:
        """Rows that a sampler draws with replacement: one of torch, or by a generator of one's own."""
        if kwargs.get("generator") is not None and is_own(sys._getframe(2).f_code.co_filename):
            self._by_generator(result, args, kwargs)
            return
        if result.numel() < LEAST or not self.seen.steps:
            return
        frame = sys._getframe(2)
        if frame.f_code.co_filename.endswith(SAMPLERS) and bool((result != result.flatten()[0]).any()):
            self._drawn(result, args, kwargs)

    def _drew(self, site: Site, order: Hashable) -> None:
        steps = self._steps()
        if self._open and not self.nets.nets:
            self._confirm()
        earlier = self._orders.setdefault(site, deque(maxlen=4))  # a loader draws twice for each epoch
        gone_on = [before for known, before in earlier if known == order and _went_on(before, steps)]
        if gone_on:
            self._began |= {site for known, before in earlier if known == order and not before}
            self.patches.curious = True
            again = {key: n for key, n in steps.items() if n > gone_on[-1].get(key, n)}
            self._again[site] = again
            if not self.nets.nets and any(map(_trains, self._callers.get(site, ()))):
                self._open.append((site, again))  # no net will show it: all is plain tensors
        earlier.append((order, steps))

    def _entered(self, output: Output, net: Net, x: Any) -> None:
        """The net that is called next shows what an order was drawn for: training, or looking."""
        if self._open:
            self._confirm()
        if self._again:
            if output.grad and output.training:
                self._open += self._again.items()
            self._again = {}
        self.patches.curious = bool(self._open)

    def _confirm(self) -> None:
        """Another training, from the same seed on purpose, draws the same orders with its own optimizer."""
        steps = self._steps()
        for site, before in list(self._open):
            if _went_on(before, steps):
                self._open.remove((site, before))
                facts = self.seen.orders.get(site)
                if facts is None:
                    facts = self.seen.orders[site] = SeedSeen(site, callers=self._callers.get(site, ()))
                    facts.same += site in self._began
                facts.calls += 1
                facts.same += 1
        del self._open[:-8]


@remembered
def _trains(site: Site) -> bool:
    """Whether a loop begins on this line that runs backward, itself or in a function of the same file."""
    loop, module = statement_at(site), tree(site.file)
    if not isinstance(loop, ast.For) or module is None:
        return False
    names = [f.name for f in ast.walk(module) if isinstance(f, ast.FunctionDef) and called(f, "backward")]
    return bool(called(ast.Module(loop.body, []), "backward", *names))


def _went_on(before: Steps, now: Steps) -> bool:
    """Whether an optimizer that had stepped before has stepped since."""
    return any(now.get(key, 0) > n for key, n in before.items())


def seed_of(given: Any) -> Hashable:
    """What a generator is seeded with, where that can be told; None where it isn't."""
    if isinstance(given, np.random.SeedSequence):
        given = (given.entropy, *given.spawn_key)
    if isinstance(given, (list, tuple)):
        parts = tuple(map(seed_of, given))
        return None if not parts or None in parts else parts
    known = isinstance(given, (int, str, np.integer)) and not isinstance(given, bool)
    return int(given) if isinstance(given, np.integer) else given if known else None
