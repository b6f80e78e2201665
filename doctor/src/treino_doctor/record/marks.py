"""Count the graphs of past steps that are still alive, by marks attached to them."""

import gc
import weakref
from collections import Counter
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import stack
from treino_doctor.record.log import Backward, Forward
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import GraphsHeld
from treino_doctor.record.values import Node, first_tensors

NAME = "treino"
PAST = 2  # turns after which a graph counts as past
MANY = 8  # past graphs above which garbage is collected before counting
COLLECTIONS = 3
LEAST = 4  # kept losses before they are counted
NEWEST = 32  # losses after which those that still exist are looked for


class Mark:
    """An object that lives as long as the graph to which it is attached."""

    __slots__ = ("__weakref__",)


class Marks(Observer):
    """Marks in the graphs of losses and of nets' outputs."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._line: Site | None = None  # the newest line that ran a loss backward
        # Whether they are of outputs, not of losses -> marks of graphs that were run backward.
        self._marks: dict[bool, list[tuple[weakref.ref[Mark], Site | None, int]]] = {False: [], True: []}
        self._results: dict[int, tuple[weakref.ref[Mark], Site | None, int]] = {}
        self._alive: dict[tuple[Site | None, bool], int] = {}
        self._marked: Counter[tuple[Site | None, bool]] = Counter()
        self._sums: Counter[tuple[Site, ...]] = Counter()
        self._collections = 0
        self._newest: list[Ref[torch.Tensor]] = []
        self._kept: list[Ref[torch.Tensor]] = []  # losses that still existed some turns later
        self._released: Counter[tuple[Site | None, bool]] = Counter()  # past graphs that are gone
        self._limit, self.grown, self.dropped, self._count_turn = LEAST, 0, 0, 0
        of.ran.append(self.ran)
        of.called.append(self.result)

    def install(self) -> None:
        self._tape.observe(self._sum, "add")

    def _sum(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is None or not node.grad or node.shape:
            return
        near = [*node.parents, *(q for p in node.parents for q in p.parents)]  # 0.9 * mean + 0.1 * loss
        if any(p.grad and p.op == "add" and p.site is node.site and p.step < node.step for p in near):
            self._sums[stack()] += 1

    def result(self, event: Forward, module: Any, args: Any, result: Any) -> None:
        """Mark the graph of a net's output."""
        value = next((t for t in first_tensors((result,)) if t.grad_fn is not None), None)
        if event.grad and value is not None:
            self._results[event.forward] = mark(value), event.site, event.turn

    def ran(self, event: Backward, root: Any) -> None:
        """Mark the graph of a backward, and count the live graphs of past turns."""
        self._line = event.site
        if isinstance(root, torch.Tensor) and root.grad_fn is not None:
            self._marks[False].append((mark(root), event.site, event.turn))
            self._marked[event.site, False] += 1
        for forward in event.forwards:
            if (known := self._results.pop(forward, None)) is not None:
                self._marks[True].append(known)
                self._marked[known[1], True] += 1
        for forward in [f for f, known in self._results.items() if known[2] < event.turn - PAST]:
            del self._results[forward]
        self._count(event.turn)

    def keep(self, root: torch.Tensor) -> None:
        """Count losses that a program keeps, such as one per epoch, also between windows."""
        self._newest.append(Ref(root))
        if len(self._newest) >= NEWEST:
            self._age()

    def _age(self) -> None:
        """Take the losses of past turns that still exist as kept."""
        past = self._newest[: -PAST - 1]
        del self._newest[: -PAST - 1]
        self._kept += [old for old in past if old() is not None]
        if len(self._kept) >= self._limit:
            self._count_kept()

    def _count_kept(self) -> None:
        alive = [r for r in self._kept if (loss := r()) is not None and loss.grad_fn is not None]
        self.dropped += len(self._kept) - len(alive)
        self.grown = max(self.grown, len(alive) if len(alive) >= LEAST else 0)
        self._kept, self._limit = alive, max(LEAST, 2 * len(alive))

    def _count(self, turn: int) -> None:
        for kind, marks in self._marks.items():
            gone = (m for m in marks if m[2] < self._count_turn - PAST and m[0]() is None)
            self._released.update((m[1], kind) for m in gone)
            marks[:] = [m for m in marks if m[0]() is not None]
        past = sum(m[2] < turn - PAST for marks in self._marks.values() for m in marks)
        if past > MANY and self._collections < COLLECTIONS:
            self._collections += 1
            gc.collect()
            self._count(turn)
            return
        for kind, marks in self._marks.items():
            for site, alive in Counter(m[1] for m in marks if m[2] < turn - PAST).items():
                self._alive[site, kind] = max(alive, self._alive.get((site, kind), 0))
        self._count_turn = turn  # of the newest count
        self._age()
        self._count_kept()

    def finish(self) -> None:
        led = self._sums.most_common(1)[0][0] if self._sums else ()
        for (site, result), alive in self._alive.items():
            handed = (s for s in led[:2] if site and (s.file, s.function) == (site.file, site.function))
            summed = next(handed, next(iter(led), None))
            counts = {"marked": self._marked[site, result], "released": self._released[site, result]}
            self._log.tell(GraphsHeld, site=site, result=result, alive=alive, summed_at=summed, **counts)
        if self.grown:
            fields = {"site": self._line, "alive": self.grown, "marked": self._log.moment()["turn"]}
            self._log.tell(GraphsHeld, result=False, grown=True, released=self.dropped, **fields)


def mark(value: torch.Tensor) -> "weakref.ref[Mark]":
    """Attach a mark to the graph of a value."""
    one = Mark()
    assert value.grad_fn is not None
    value.grad_fn.metadata[NAME] = one  # type: ignore[index]  # a property, stubbed as a method
    return weakref.ref(one)
