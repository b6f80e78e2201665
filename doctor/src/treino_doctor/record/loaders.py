"""Record DataLoaders: the lines that made them, the newest batch, and its rows in the data set."""

import functools
import pickle
import random
import sys
import weakref
from collections.abc import Callable
from operator import length_hint
from typing import Any

import torch
from torch.utils.data import DataLoader, SequentialSampler, Subset, TensorDataset, default_collate
from torch.utils.data.dataloader import _BaseDataLoaderIter
from torch.utils.data.sampler import RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.lines import by_library, here, unseen
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.row_log import Misaligned
from treino_doctor.record.values import first_tensors

LONGEST = 200_000  # maximum number of row numbers compared
DEEP = 8  # maximum number of nested Subsets
LEAST, MOST_CLASSES, HALF = 20, 100, 0.5  # rows and classes of a sampler; times the share by chance
NEAR = 0.15  # relative difference of two ratios that are about equal
LOOKS = 4  # the first batches of a loader are checked for whether they draw random numbers


class Origin:
    """Rows of one data set, by their numbers; all rows if ``numbers`` is None."""

    def __init__(self, root: int, numbers: np.ndarray | None, size: int) -> None:
        self.root, self.numbers, self.size = root, numbers, size

    def all(self) -> np.ndarray:
        """The numbers, sorted."""
        return np.unique(self.numbers) if self.numbers is not None else np.arange(self.size)


class Reading:
    """A DataLoader in use. epoch: how often it was iterated. trains: nets were trained on its batches.

    tensors: the tensors whose rows it collates into batches unchanged. draws: its data set drew random
    numbers for a batch. once: each epoch brings each of its ``rows`` rows once, in whatever order.
    """

    def __init__(
        self, site: Site | None, origin: Origin | None, rows: int, tensors: tuple[torch.Tensor, ...] = ()
    ) -> None:
        self.site, self.origin, self.rows, self.tensors = site, origin, rows, tensors
        self.epoch, self.trains, self.once = 0, False, False
        self.draws, self.looks = False, 0
        self.fresh, self.in_order = True, False  # the order of an epoch is drawn with its first batch


class Batch:
    """The newest batch: its rows, its labels, and the number of nets' calls since."""

    def __init__(self, values: Any, reading: Reading | None) -> None:
        tensors = first_tensors(values)
        self.rows = tensors[0] if tensors else None
        self.labels = tensors[1] if len(tensors) > 1 else None
        self.reading, self.calls = reading, 0


class Loaders(Observer):
    """Watches DataLoaders and subsets of data sets.

    parts: (data set, row numbers, line) of each Subset. hungry: training rows are collected between windows.
    uncalled: no net was called since the newest batch. reading: the newest batch's.
    """

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self.parts: list[tuple[int, np.ndarray, Site | None]] = []
        self.batch: Batch | None = None
        self.hungry = True
        self.reading: Reading | None = None
        self._raw_batch: tuple[Any, Reading | None] | None = None
        self._from, self.uncalled, self._ahead = 0, False, False
        self._by_loader: dict[int, tuple[weakref.ref[Any], Reading]] = {}
        self._by_iterator: dict[int, Reading] = {}
        self._held: list[Any] = []  # data sets of parts, so that their ids stay unique

    def install(self) -> None:
        self._hooks.observe(DataLoader, "__init__", after=self._made)
        self._hooks.observe(DataLoader, "__iter__", after=self._started)
        self._hooks.observe(Subset, "__init__", after=self._part)
        loaders, hooks, tape, original = self, self._hooks, self._tape, _BaseDataLoaderIter.__next__

        @functools.wraps(original)
        def following(loading: Any) -> Any:
            if not hooks.on:
                return original(loading)
            reading = loaders.reading = loaders._by_iterator.get(id(loading))
            looks = reading is not None and not (reading.tensors or reading.draws or reading.looks >= LOOKS)
            if reading is not None and reading.trains and not (tape.on or looks or loaders.hungry):
                # Between windows, only evaluations are recorded. The memory of a kept batch can't be reused.
                loaders._from, loaders.uncalled, loaders._ahead = id(loading), False, False
                loaders._raw_batch = loaders.batch = None
                return original(loading)
            if reading is not None and looks:
                batch = loaders._drawing(lambda: original(loading), reading)
            elif reading is not None and reading.tensors and tape.on:
                with tape.away():  # operations on single rows don't matter
                    batch = original(loading)
                hooks.quietly("batch", loaders._put_together, batch, reading)
            else:
                batch = original(loading)
            # If no net was called since the previous one, batches are read ahead, and a call's is unknown.
            ahead = loaders._from == id(loading) and (loaders._ahead or loaders.uncalled)
            loaders._from, loaders.uncalled, loaders._ahead = id(loading), True, ahead
            loaders._raw_batch = None if ahead else (batch, reading)
            loaders.batch = None if ahead else loaders.batch
            return batch

        self._hooks.replace(_BaseDataLoaderIter, "__next__", unseen(following))

    def _drawing(self, load: Callable[[], Any], reading: Reading) -> Any:
        """Load a batch and note whether its data set drew random numbers."""
        if reading.fresh and not reading.in_order:
            reading.fresh = False
            return load()
        reading.looks += 1
        before = self._hooks.quietly("batch", random_state)
        batch = load()
        after = self._hooks.quietly("batch", random_state)
        # Pairs of rows are meant to be drawn, and so are masks over words.
        reading.draws = before != after and len(first_tensors(batch)) == 2
        return batch

    def _put_together(self, batch: Any, reading: Reading) -> None:
        """Record that a batch's tensors are stacked rows of the data set's tensors."""
        for part, whole in zip(batch, reading.tensors, strict=True):
            self._values.made(part, "stack", [whole], reading.site, {})

    def newest(self) -> Batch | None:
        """The newest batch, unpacked at the first call; None while batches are read ahead."""
        self.uncalled = False
        if self._raw_batch is not None:
            self.batch = Batch(*self._raw_batch)
            self._raw_batch = None
        return self.batch

    def line(self) -> Site | None:
        """The line that made the loader of the newest batch."""
        return self.reading.site if self.reading is not None else None

    def let_go(self) -> None:
        """Release the newest batch."""
        self._raw_batch = self.batch = None

    def _made(self, result: Any, args: Any, kwargs: Any) -> None:
        loader = args[0]
        dataset = getattr(loader, "dataset", None)
        rows = length_hint(dataset)  # 0 if it has no length
        again = self._like(loader) if dataset is not None and by_library() else None
        site = again.site if again is not None else here()
        sampler = getattr(loader, "sampler", None)
        origin = origin_of(dataset, sampler)
        if type(sampler) is SubsetRandomSampler and origin is not None and origin.numbers is not None:
            rows = len(sampler)
            self._note_part(dataset, origin, site)
        reading = Reading(site, origin, rows, plain_tensors(loader))
        reading.in_order = isinstance(sampler, SequentialSampler)
        drawn = type(sampler) is RandomSampler and not sampler.replacement
        reading.once = drawn or type(sampler) in (SequentialSampler, SubsetRandomSampler)
        self._by_loader[id(loader)] = weakref.ref(loader), reading
        if type(sampler) is WeightedRandomSampler and (other := misweighed(dataset, sampler.weights)):
            self._log.tell_here(Misaligned, how="sampled", rows=len(sampler.weights), other=other)

    def _like(self, loader: Any) -> Reading | None:
        """The newest loader from which a library made this one: same data set, preferably same order."""
        known = ((ref(), reading) for ref, reading in reversed(self._by_loader.values()))
        alike = [(o, r) for o, r in known if o is not None and o.dataset is loader.dataset]
        ordered = (r for o, r in alike if isinstance(loader.sampler, type(o.sampler)))
        return next(ordered, alike[0][1] if alike else None)

    def _started(self, result: Any, args: Any, kwargs: Any) -> None:
        if (known := self._by_loader.get(id(args[0]))) is not None and known[0]() is args[0]:
            self._from = 0
            known[1].epoch += 1
            known[1].fresh = True
            if len(self._by_iterator) > 16:
                self._by_iterator.clear()
            self._by_iterator[id(result)] = known[1]

    def _part(self, result: Any, args: Any, kwargs: Any) -> None:
        origin = origin_of(args[0])
        if origin is not None and origin.numbers is not None:
            self._note_part(args[0].dataset, origin, here())

    def _note_part(self, dataset: Any, origin: Origin, site: Site | None) -> None:
        """Note rows that a Subset or a sampler takes from a data set."""
        if len(self.parts) < 64:
            self.parts.append((origin.root, origin.all(), site))
            self._held.append(dataset)


def random_state() -> tuple[Any, ...]:
    """The states of the random number generators of torch, Python and, if installed, NumPy."""
    own, numpy = torch.default_generator.get_state(), sys.modules.get("numpy.random")
    return random.getstate(), own.numpy().tobytes(), pickle.dumps(numpy and numpy.get_state(legacy=False))


def misweighed(dataset: Any, weights: torch.Tensor) -> int:
    """How many rows a sampler weighs as those of another class, if its weights are as far apart as the counts
    of classes; 0 if each class has one, or the labels can't be read without code of the program."""
    origin, root = origin_of(dataset), dataset
    while type(root) is Subset:
        root = root.dataset
    labels: Any = root.tensors[-1] if type(root) is TensorDataset else getattr(root, "targets", None)
    if origin is None or not isinstance(labels, (torch.Tensor, list, np.ndarray)) or len(labels) < LEAST:
        return 0
    own = np.asarray(labels).reshape(-1)
    own = own[origin.numbers] if origin.numbers is not None else own
    by = np.asarray(weights, dtype=np.float64).round(12)
    classes, number, counts = np.unique(own, return_inverse=True, return_counts=True)
    values, rank = np.unique(-by, return_inverse=True)  # the largest weight first, as of the rarest class
    fits = len(own) == len(by) and 2 <= len(values) == len(classes) <= MOST_CLASSES
    if not fits or own.dtype.kind not in "iufb":
        return 0
    whole = np.unique(labels, return_counts=True)[1]
    spread = values[0] / values[-1]  # both are negative weights
    apart = [c.max() / c.min() / spread for c in (counts, whole)]
    if len(np.unique(number * len(values) + rank)) == len(values) or all(abs(a - 1) > NEAR for a in apart):
        return 0
    other = int((np.argsort(np.argsort(counts))[number] != rank).sum())
    chance = 1 - float(((counts / len(own)) ** 2).sum())  # the share if weights are in any order
    return other if other > HALF * chance * len(own) else 0


def plain_tensors(loader: Any) -> tuple[torch.Tensor, ...]:
    """The tensors whose rows a loader collates without any code of the program."""
    dataset: Any = getattr(loader, "dataset", None)
    while type(dataset) is Subset:
        dataset = dataset.dataset
    plain = type(dataset) is TensorDataset and loader.collate_fn is default_collate
    return tuple(dataset.tensors) if plain else ()


def origin_of(dataset: Any, sampler: Any = None) -> Origin | None:
    """The root data set behind nested Subsets, and the row numbers that they and a sampler leave."""
    choices: list[Any] = [sampler] if type(sampler) is SubsetRandomSampler else []
    while isinstance(dataset, Subset) and len(choices) < DEEP:
        choices.append(dataset)
        dataset = dataset.dataset
    numbers: np.ndarray | None = None
    for choice in choices:
        own = np.asarray(torch.as_tensor(np.asarray(choice.indices)).reshape(-1)[:LONGEST])
        if own.dtype.kind not in "iu":
            return None
        numbers = own if numbers is None else own[numbers]
    size = length_hint(dataset, -1)
    return Origin(id(dataset), numbers, size) if size >= 0 else None
