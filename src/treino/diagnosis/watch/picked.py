"""Rows by the numbers that loaders drew them by: known again however they look, for a net that was trained
on them and evaluated on them later.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.eval_seen import Names
from treino.diagnosis.watch.loaders import Loaders, tensors_in
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.numbered import Rows, Table, Tables
from treino.diagnosis.watch.output import Net, Output
from treino.diagnosis.watch.plain import Plain
from treino.diagnosis.watch.tables import DataSeen, PickedSeen
from treino.diagnosis.watch.where import offset, spots, stack

LOADERS = 64  # that are followed
MOST = 200_000  # rows of a loader
ENOUGH = 8  # batches without a new row: then a loader that trains is looked at now and then
LOOKED = 100  # places of evaluation


@dataclass
class Drawn:
    """The rows that one loader drew: when for the first time, and when for the last."""

    find: Callable[[list[Any]], Rows]
    site: Site | None
    first: dict[Table, dict[int, int]] = field(default_factory=dict)
    last: dict[Table, dict[int, int]] = field(default_factory=dict)
    size: int = 0
    again: int = 0  # the newest batches in a row without a new row
    asked: set[Any] = field(default_factory=set)  # numbers in the loader's own dataset
    taught: set[int] = field(default_factory=set)  # nets whose targets were in its batches
    known: bool = True  # which rows its numbers mean
    trained: dict[int, tuple[int, Names]] = field(
        default_factory=dict
    )  # net -> (batches, lines that led there)

    def copies(self) -> bool:
        """Whether its dataset holds rows several times, under different numbers."""
        return len(self.asked) > 1.01 * self.size

    def note(self, numbers: Any, clock: int) -> None:
        """A batch."""
        if not self.known or self.size > MOST or (self.trained and self.again > ENOUGH and clock & 15):
            return
        before = self.size
        try:
            numbers = numbers if isinstance(numbers, list) else [numbers]
            self.asked.update(numbers)
            for table, rows in self.find(numbers):
                first = self.first.setdefault(table, {})
                self.last.setdefault(table, {}).update(dict.fromkeys(rows, clock))
                fresh = [r for r in rows if r not in first]
                if fresh:
                    first.update(dict.fromkeys(fresh, clock))
                self.size += len(fresh)
            self.again = self.again + 1 if self.size == before else 0
        except Exception:  # numbers of its own kind
            self.known = False


class _Noting:
    """A loader's batches of numbers, each noted as it is drawn."""

    __slots__ = ("drawn", "inner", "newest", "picked", "step")

    def __init__(self, inner: Any, drawn: Drawn, picked: "Picked", step: int) -> None:
        self.inner, self.drawn, self.picked, self.step = inner, drawn, picked, step
        self.newest = 0  # rows of the newest batch

    def __iter__(self) -> "_Noting":
        return self

    def __next__(self) -> Any:
        numbers = next(self.inner)
        self.picked.clock += 1
        self.newest = len(numbers) if isinstance(numbers, list) else 0
        self.drawn.note(numbers, self.picked.clock)
        return numbers


@dataclass
class Looked:
    """One place from which a net is evaluated."""

    net: Net
    names: Names
    spots: tuple[Any, ...]
    drawn: list[Drawn] = field(default_factory=list)
    calls: int = 0
    phases: set[int] = field(default_factory=set)


class Picked:
    """Listens to loaders and to the calls of nets."""

    def __init__(self, data: DataSeen, nets: Nets, loaders: Loaders, plain: Plain) -> None:
        self.data, self.nets, self.loaders, self.plain = data, nets, loaders, plain
        self.clock = 0
        self.reset: set[int] = set()  # nets that were given other weights
        self._restarted: set[int] = set()  # ... after they were trained, and were trained again
        self._tables = Tables()
        self._all: list[Drawn] = []
        self._of: weakref.WeakKeyDictionary[Any, tuple[Any, Drawn]] = weakref.WeakKeyDictionary()
        self._looked: dict[tuple[int, int, Names], Looked] = {}
        self._given: tuple[_Noting, list[weakref.ref[torch.Tensor]]] | None = None
        self._links: weakref.WeakKeyDictionary[Output, tuple[Drawn, Any]] = weakref.WeakKeyDictionary()
        loaders.starts.append(self._starts)
        loaders.newest_listeners.append(self._newest)
        nets.row_listeners.append(self._entered)
        nets.finished_listeners.append(self._settled)
        nets.judging.taught_listeners.append(self._taught)

    def _starts(self, loader: Any, loading: Any) -> None:
        if loader.num_workers or not hasattr(loading, "_sampler_iter"):
            return  # workers are asked for batches ahead of their time
        drawn = self._of.get(loader)
        if drawn is None or drawn[0] is not loader.dataset:
            if len(self._all) >= LOADERS:
                return
            find = self._tables.rows(loader.dataset)
            if find is None:
                return
            drawn = loader.dataset, Drawn(find, loader.__dict__.get("_treino_site"))
            self._of[loader] = drawn
            self._all.append(drawn[1])
        else:
            drawn[1].find = self._tables.rows(loader.dataset) or drawn[1].find
        loading._sampler_iter = _Noting(loading._sampler_iter, drawn[1], self, self.nets.steps)

    def _newest(self, batch: Any, loading: Any) -> None:
        noting = getattr(loading, "_sampler_iter", None)
        if isinstance(noting, _Noting):
            self._given = noting, [weakref.ref(t) for t in tensors_in(batch)]
        else:
            self._given = None

    def _entered(self, output: Output, net: Net, x: torch.Tensor | None) -> None:
        self.loaders.batch()
        if net.number in self.reset and output.grad and output.training:
            self.reset.discard(net.number)
            if any(net.number in d.trained for d in self._all):
                self._restarted.add(net.number)
        if self._given is None or x is None or not x.dim() or (x.requires_grad and x.grad_fn is None):
            return
        noting, tensors = self._given
        alive = [t for r in tensors if (t := r()) is not None]
        looking = not output.grad or not output.training
        if not any(map(_same_memory(x), alive)):
            still = alive and len(x) == noting.newest > 1
            if not still or (looking and noting.step != output.step):
                return
        if not looking:
            led = self.plain.outside(stack) or stack() if net.number not in noting.drawn.trained else ()
            self._links[output] = noting.drawn, led
            return
        names = self.plain.outside(stack) or stack()
        key = net.number, offset(), names
        looked = self._looked.get(key)
        if looked is None and len(self._looked) < LOOKED:
            looked = self._looked[key] = Looked(net, names, self.plain.outside(spots) or spots())
        if looked is not None:
            self._links[output] = noting.drawn, looked

    def _taught(self, output: Output, target: torch.Tensor) -> None:
        """Whether the targets came with the rows: a net may have learned from the rows alone."""
        link = self._links.get(output)
        if link is None or self._given is None or output.net.number in link[0].taught:
            return
        for t in [t for r in self._given[1] if (t := r()) is not None]:
            if _same_memory(target)(t) or (t.numel() == target.numel() and _equal(t, target)):
                link[0].taught.add(output.net.number)
                return

    def _settled(self, output: Output, net: Net) -> None:
        link = self._links.pop(output, None)
        if link is None:
            return
        drawn, what = link
        if output.reached:
            batches, led = drawn.trained.get(net.number, (0, ()))
            led = led or (what.names if isinstance(what, Looked) else what)
            drawn.trained[net.number] = batches + 1, led
        elif isinstance(what, Looked) and not output.target:
            what.calls += 1
            what.phases.add(output.step)
            if not any(d is drawn for d in what.drawn):
                what.drawn.append(drawn)

    def finish(self) -> None:
        """What was found: evaluations of rows by whose numbers the same net had been trained."""
        for looked in self._looked.values():
            number = looked.net.number
            trainers = [d for d in self._all if d.known and d.trained.get(number, (0,))[0] >= 2]
            trainers = [d for d in trainers if number in d.taught]
            if not looked.drawn or not trainers or number in self._restarted:
                continue
            if any(not d.known or number in d.trained for d in looked.drawn):
                continue  # the loader that it was trained by, as for a figure of training
            if any(d.copies() for d in (*trainers, *looked.drawn)):
                continue
            rows: dict[tuple[Table, int], int] = {}
            for d in looked.drawn:
                for table, of in d.last.items():
                    rows.update(((table, r), max(at, rows.get((table, r), 0))) for r, at in of.items())
            learned: dict[tuple[Table, int], int] = {}
            for d in trainers:
                for table, of in d.first.items():
                    learned.update(((table, r), min(at, learned.get((table, r), at))) for r, at in of.items())
            trained = sum(learned[r] < at for r, at in rows.items() if r in learned)
            if trained:
                main = max(trainers, key=lambda d: d.trained[number][0])
                self.data.picked.append(
                    PickedSeen(
                        *(looked.net.seen, looked.names, looked.spots, looked.drawn[0].site),
                        *(len(rows), trained, len(learned), looked.calls == len(looked.phases)),
                        *(main.site, main.trained[number][1]),
                    )
                )
        for d in self._all:
            d.find = _nothing
        self._links.clear()


def _nothing(numbers: list[Any]) -> Rows:
    return []


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one.reshape(-1) == other.reshape(-1)).all()) if one.device == other.device else False


def _same_memory(x: torch.Tensor) -> Callable[[torch.Tensor], bool]:
    """Whether a tensor lies where x does."""
    if x.layout != torch.strided:
        return lambda t: t is x
    at = x.untyped_storage().data_ptr()
    return lambda t: t is x or (t.layout == torch.strided and t.untyped_storage().data_ptr() == at != 0)
