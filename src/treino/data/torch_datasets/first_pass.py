"""Read every item of a Dataset or DataLoader once, check it and summarise it."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset

from treino.base.errors import Refusal
from treino.base.words import N_, _, numeral
from treino.data.mapped_rows import Batch
from treino.data.rows import HELD_ROWS, Rows
from treino.data.torch_datasets.item import ItemFormat, Label, Labels, as_numbers, empty, item_format, scaled
from treino.data.torch_datasets.lazy_items import (
    LARGEST_PASS,
    STILL,
    BatchStream,
    LazyItems,
    Reader,
    StreamRows,
    fails,
    own_chance,
    read,
)

STREAM_ENDLESS = Refusal(
    "stream_endless",
    N_("{name} gave {n:,} rows and goes on."),
    N_("Let a pass over it end, e.g. with itertools.islice: that is an epoch."),
)

MEMORY_BYTES = 1 << 30  # limit for rows in memory; a quarter of the machine's memory, if that is less
LOOKED_AT = 64  # items that are read three times, to test whether they change between readings
LOOK_SECONDS = 3.0
READ_AT_ONCE = 64
HELD_BYTES = 1 << 26

Chance = Literal["none", "seeded", "free"]


@dataclass(eq=False)
class ItemPass:
    """The result of the first pass over a map-style Dataset.

    first_N: the index of the first item equal to each item. high_N, low_N: each item's largest and smallest
    number. chance: whether items change between readings, see ``_chance``. x: all items ``[N, D]``, if they
    never change and fit in memory.
    """

    reader: Reader
    workers: int
    chance: Chance
    labels: list[Label]
    first_N: NDArray[np.int64]
    high_N: NDArray[np.float64]
    low_N: NDArray[np.float64]
    x: Tensor | None
    pixels: bool
    class_names: Sequence[str] | None
    notes: list[str]

    @property
    def form(self) -> ItemFormat:
        return self.reader.form

    @property
    def name(self) -> str:
        return self.reader.name

    @property
    def item_shape(self) -> torch.Size:
        assert self.reader.item_shape is not None
        return torch.Size(self.reader.item_shape)

    def place(self, row: int) -> str:
        return _("item {i} of {name}").format(i=row, name=self.name)

    def rows(self, kinds: Labels, index_N: Tensor, keep: bool = False) -> Rows:
        """The items as Rows. keep: keep them in memory if they fit, although items may change."""
        numbers = index_N.tolist()
        y = kinds.encode([self.labels[i] for i in numbers], lambda row: self.place(numbers[row]))
        if self.x is not None:
            x = self.x if len(index_N) == len(self.x) else self.x.index_select(0, index_N)
            return Rows(x, y, index_N)
        two = (numbers[int(self.high_N[numbers].argmax())], numbers[int(self.low_N[numbers].argmin())])
        items = LazyItems(self.reader, index_N, kinds.encode, self.workers, self.chance, two)
        if keep and len(index_N) * self.item_shape.numel() * 4 <= memory():
            return Rows(items[:], y, index_N)
        return Rows(cast(Tensor, items), y, index_N)


@dataclass(eq=False)
class StreamPass:
    """The result of the first pass over a DataLoader or an IterableDataset.

    two: the rows with the largest and the smallest number. sample: a random sample of rows.
    """

    source: BatchStream
    labels: list[Label]
    steps: int | None
    batch: int
    two: tuple[Tensor, list[Label]]
    sample: tuple[Tensor, list[Label]]
    x: Tensor | None
    pixels: bool
    class_names: Sequence[str] | None
    notes: list[str] = field(default_factory=list)

    @property
    def form(self) -> ItemFormat:
        return self.source.form

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def item_shape(self) -> torch.Size:
        assert self.source.item_shape is not None
        return torch.Size(self.source.item_shape)

    def place(self, row: int) -> str:
        return _("row {i} of {name}").format(i=row, name=self.name)

    def rows(self, kinds: Labels, index_N: Tensor, keep: bool = False) -> Rows:
        y = kinds.encode(self.labels, self.place)
        if self.x is not None:
            return Rows(self.x, y, index_N)
        two, sample = (self._pair(pair, kinds) for pair in (self.two, self.sample))
        stream = StreamRows(self.source, len(y), self.steps, self.batch, kinds.encode, two, sample)
        return Rows(cast(Tensor, stream), y, index_N)

    def _pair(self, pair: tuple[Tensor, list[Label]], kinds: Labels) -> Batch:
        return scaled(pair[0]).flatten(1), kinds.encode(pair[1], self.place)


FirstPass = ItemPass | StreamPass


def look(
    source: Any, features: Sequence[str] | None, target: str | None, seed: int, workers: int, keep: bool
) -> FirstPass:
    """Read a source once. keep: also keep a stream's rows, if they fit in memory."""
    streams = isinstance(source, DataLoader | IterableDataset)
    name = name_of(source)
    if streams:
        name = f"DataLoader({name})" if isinstance(source, DataLoader) else name
        return _look_at_stream(
            BatchStream(source, name, features, target, workers), _class_names(source), keep
        )
    return _look_at_items(source, name, features, target, seed, workers)


def name_of(source: Any) -> str:
    """The class name of a Dataset, looking through DataLoader and Subset."""
    while isinstance(source, DataLoader | Subset):
        source = source.dataset
    return type(source).__name__


def everything(source: Any, x_name: str, y_name: str) -> tuple[Tensor, list[Label] | None]:
    """Return x ``[N, D]`` of all items, and their labels or None. x_name, y_name: entries of items that are
    dicts."""
    name, streams = name_of(source), isinstance(source, DataLoader | IterableDataset)
    first = next(iter(source), None) if streams else source[0] if len(source) else None
    if first is None:
        raise empty(name)
    if isinstance(first, Mapping):
        form = (
            ItemFormat(x_name, y_name, alone=y_name not in first)
            if x_name in first
            else item_format(first, None, None)
        )
    else:
        form = ItemFormat(alone=not isinstance(first, tuple | list) or len(first) < 2)
    if streams:
        raws = list(BatchStream(source, name, None, None, 0, form).once())
    else:
        shape = tuple(as_numbers(form.pair(first, name)[0], name).shape)
        keys = ((STILL, part.tolist()) for part in torch.arange(len(source)).split(READ_AT_ONCE))
        raws = list(read(Reader(source, name, form, shape, 0), keys))
    x = torch.cat([scaled(x).flatten(1) for x, _labels in raws])
    return x, None if form.alone else [label for _x, labels in raws for label in labels]


def memory() -> int:
    """The memory limit for rows, in bytes."""
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return MEMORY_BYTES
    return min(MEMORY_BYTES, whole // 4)


def _class_names(source: Any) -> Sequence[str] | None:
    """The attribute ``classes`` of a Dataset, as in torchvision, looking through Subset and DataLoader."""
    for _depth in range(8):
        names = getattr(source, "classes", None)
        if isinstance(names, tuple | list) and names and all(isinstance(name, str) for name in names):
            return names
        source = getattr(source, "dataset", None)
    return None


def _look_at_items(
    dataset: Any, name: str, features: Sequence[str] | None, target: str | None, seed: int, workers: int
) -> ItemPass:
    try:
        rows = len(dataset)
    except (Exception, SystemExit) as error:
        what = _("the length of {name}").format(name=name)
        raise fails(error, what, _("Give it a __len__, or let it be an IterableDataset.")) from error
    if not rows:
        raise empty(name)
    where = _("item {i} of {name}").format(i=0, name=name)
    try:
        with own_chance(True):
            first = dataset[0]
    except (Exception, SystemExit) as error:
        raise fails(error, where, _("Try it alone: dataset[0].")) from error
    form = item_format(first, features, target)
    x = as_numbers(form.pair(first, where)[0], where)
    reader = Reader(dataset, name, form, tuple(x.shape), seed)
    chance = _chance(reader, rows)
    if chance != "seeded":
        reader = replace(reader, seed=None)
    width, size = x.numel(), rows * x.numel() * 4
    fits = size <= memory()
    copy_ND = torch.empty(rows, width) if chance == "none" and fits else None
    labels: list[Label] = []
    high_N, low_N, first_N = np.empty(rows), np.empty(rows), np.arange(rows)
    known: dict[bytes, int] = {}
    keys = ((STILL, part.tolist()) for part in torch.arange(rows).split(READ_AT_ONCE))
    for x, more in read(reader, keys, workers):
        at = len(labels)
        flat = scaled(x).flatten(1)
        high_N[at : at + len(flat)], low_N[at : at + len(flat)] = flat.amax(1), flat.amin(1)
        if copy_ND is not None:
            copy_ND[at : at + len(flat)] = flat
        if chance == "none":
            for i, row in enumerate((flat + 0.0).numpy()):
                first_N[at + i] = known.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), at + i)
        labels += more
    pixels = x.dtype == torch.uint8 and x.dim() > 2
    notes = _notes_on_items(name, rows, chance, size, fits, pixels)
    facts = (first_N, high_N, low_N, copy_ND, pixels, _class_names(dataset), notes)
    return ItemPass(reader, workers, chance, labels, *facts)


def _chance(reader: Reader, rows: int) -> Chance:
    """Test whether items change between readings: ``none`` don't; ``seeded`` change with the seed only;
    ``free`` change even with the same seed."""
    chance: Chance = "none"
    begin = time.perf_counter()
    for n, i in enumerate(np.unique(np.linspace(0, rows - 1, LOOKED_AT).astype(int)).tolist()):
        one, same, other = (next(read(reader, [(epoch, [i])])) for epoch in (STILL, STILL, STILL - 1))
        if not _equal(one, same):
            return "free"
        if not _equal(one, other):
            chance = "seeded"
        if n >= 8 and time.perf_counter() - begin > LOOK_SECONDS:
            break
    return chance


def _equal(one: tuple[Tensor, list[Label]], other: tuple[Tensor, list[Label]]) -> bool:
    return one[1] == other[1] and torch.equal(one[0], other[0])


def _notes_on_items(name: str, rows: int, chance: Chance, size: int, fits: bool, pixels: bool) -> list[str]:
    if chance != "none":
        notes = [_("{name}: items change from reading to reading; they are read again for every batch.")]
        if chance == "seeded":
            notes.append(_("{name}: each item's chance comes from data seed, epoch and item number."))
    elif fits:
        notes = [_("{name}: {n:,} items, the same at every reading, are kept in memory ({mb} MB).")]
    else:
        notes = [_("{name}: {n:,} items of {mb} MB are more than fits; they are read for every batch.")]
    facts: dict[str, Any] = {"name": name, "n": rows, "mb": numeral(size / 1e6, ",.1f")}
    return [*(note.format(**facts) for note in notes), *_notes_on_pixels(name, pixels)]


def _notes_on_pixels(name: str, pixels: bool) -> list[str]:
    if pixels:
        return [_("{name}: bytes are divided by 255, and nothing else is normalised.").format(name=name)]
    return [_("{name}: items are taken as they are; nothing is normalised.").format(name=name)]


def _look_at_stream(source: BatchStream, names: Sequence[str] | None, keep: bool) -> StreamPass:
    labels: list[Label] = []
    copies: list[Tensor] | None = [] if keep else None
    size = steps = batch = 0
    ends: list[tuple[float, Tensor, Label]] = []  # rows with the largest and the smallest number so far
    sample: list[tuple[Tensor, Label]] = []
    chance, most, pixels = random.Random(0), HELD_ROWS, False
    for x, more in source.once():
        flat = x.flatten(1)
        high, low = int(flat.amax(1).argmax()), int(flat.amin(1).argmin())
        highest = (float(flat[high].max()), x[high].clone(), more[high])
        lowest = (float(-flat[low].min()), x[low].clone(), more[low])
        ends = [
            a if a[0] >= b[0] else b
            for a, b in zip(ends or [highest, lowest], (highest, lowest), strict=True)
        ]
        most = max(1, min(HELD_ROWS, HELD_BYTES // (flat.shape[1] * 4)))
        for i, label in enumerate(more):  # reservoir sampling (Vitter 1985)
            n = len(labels) + i
            place = n if n < most else chance.randrange(n + 1)
            if place < most:
                sample[place : place + 1] = [(x[i].clone(), label)]
        pixels = x.dtype == torch.uint8 and x.dim() > 2
        labels += more
        steps, batch = steps + 1, max(batch, len(x))
        size += flat.shape[1] * len(x) * 4
        if copies is not None:
            copies.append(scaled(x).flatten(1))
            copies = copies if size <= memory() else None
        if len(labels) > LARGEST_PASS:
            raise STREAM_ENDLESS(name=source.name, n=len(labels))
    if not labels:
        raise empty(source.name)
    own = source.steps is True
    notes = _notes_on_stream(source.name, len(labels), steps if own else None, copies is not None)
    return StreamPass(
        source,
        labels,
        steps if own else None,
        batch,
        (torch.stack([x for _v, x, _y in ends]), [y for _v, _x, y in ends]),
        (torch.stack([x for x, _y in sample]), [y for _x, y in sample]),
        torch.cat(copies) if copies is not None else None,
        pixels,
        names,
        [*notes, *_notes_on_pixels(source.name, pixels)],
    )


def _notes_on_stream(name: str, rows: int, steps: int | None, in_memory: bool) -> list[str]:
    note = _("{name}: an epoch is the {k:,} batches of the first pass ({n:,} rows), as they come.")
    if in_memory:
        note = _("{name}: {n:,} rows were read once and are kept in memory.")
    elif steps is None:
        note = _("{name}: an epoch is the {n:,} rows of the first pass, in the order in which they come.")
    return [note.format(name=name, k=steps, n=rows)]
