"""Read every item of a Dataset or DataLoader once, check it and summarise it."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset

from treino.base.errors import Refusal
from treino.base.machine import memory_bytes
from treino.base.own_calls import own_call, same_process
from treino.base.words import _, numeral
from treino.data.rows import HELD_ROWS, Rows
from treino.data.torch_datasets.item import (
    DATASET_EMPTY,
    ItemFormat,
    Label,
    Labels,
    as_numbers,
    item_format,
    scaled,
)
from treino.data.torch_datasets.lazy_items import (
    LARGEST_PASS,
    STILL,
    BatchStream,
    LazyItems,
    Reader,
    StreamRows,
    fails,
    read,
)

STREAM_ENDLESS = Refusal(
    "{name} gave {n:,} rows and goes on.",
    "Let a pass over it end, e.g. with itertools.islice: that is an epoch.",
)

MEMORY_BYTES = 1 << 30  # limit for rows in memory; a quarter of the machine's memory, if that is less
LOOKED_AT = 64  # items that are read three times, to test whether they change between readings
LOOK_SECONDS = 3.0
READ_AT_ONCE = 64
HELD_BYTES = 1 << 26

Chance = Literal["none", "seeded", "free"]


@dataclass(eq=False)
class FirstPass:
    """The result of one pass over a Dataset, a DataLoader or an IterableDataset.

    source: the object that reads it again. lazily: makes rows, read when used, from item numbers. x: all
    items ``[N, D]``, if they stay in memory. first_N: for a map-style Dataset, the index of the first item
    equal to each item; None for a stream, which can't be split. chance: whether items change between
    readings, see ``_chance``. whole: whether items are whole numbers, and no pixels.
    """

    source: Reader | BatchStream
    labels: list[Label]
    lazily: Callable[[Labels, Tensor], LazyItems | StreamRows]
    x: Tensor | None
    pixels: bool
    class_names: Sequence[str] | None
    notes: list[str]
    first_N: NDArray[np.int64] | None = None
    chance: Chance = "none"
    whole: bool = False

    @property
    def item_shape(self) -> torch.Size:
        return torch.Size(self.source.item_shape)

    def place(self, row: int) -> str:
        text = _("row {i} of {name}") if self.first_N is None else _("item {i} of {name}")
        return text.format(i=row, name=self.source.name)

    def rows(self, kinds: Labels, index_N: Tensor, keep: bool = False) -> Rows:
        """The items as Rows. keep: keep them in memory if they fit, although items may change."""
        numbers = index_N.tolist()
        y = kinds.encode([self.labels[i] for i in numbers], lambda row: self.place(numbers[row]))
        if self.x is not None:
            x = self.x if len(index_N) == len(self.x) else self.x.index_select(0, index_N)
            return Rows(x, y, index_N)
        lazy = self.lazily(kinds, index_N)
        if keep and isinstance(lazy, LazyItems) and lazy.shape.numel() * 4 <= memory():
            return Rows(lazy[:], y, index_N)
        return Rows(cast(Tensor, lazy), y, index_N)


def look(
    source: Any, features: Sequence[str] | None, target: str | None, seed: int, workers: int, keep: bool
) -> FirstPass:
    """Read a source once. keep: also keep a stream's rows, if they fit in memory."""
    name = name_of(source)
    if not isinstance(source, DataLoader | IterableDataset):
        return _look_at_items(source, name, features, target, seed, workers)
    name = f"DataLoader({name})" if isinstance(source, DataLoader) else name
    return _look_at_stream(BatchStream(source, name, features, target, workers), _class_names(source), keep)


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
        raise DATASET_EMPTY(name=name)
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
    return min(MEMORY_BYTES, memory_bytes() // 4)


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
) -> FirstPass:
    what = _("the length of {name}").format(name=name)
    with own_call(lambda error: fails(error, what, _("Give it a __len__, or let it be an IterableDataset."))):
        rows = len(dataset)
    if not rows:
        raise DATASET_EMPTY(name=name)
    where = _("item {i} of {name}").format(i=0, name=name)
    with same_process(), own_call(lambda error: fails(error, where, _("Try it alone: dataset[0]."))):
        first = dataset[0]
    form = item_format(first, features, target)
    x = as_numbers(form.pair(first, where)[0], where)
    reader = Reader(dataset, name, form, tuple(x.shape), seed)
    chance = _chance(reader, rows)
    if chance != "seeded":
        reader = replace(reader, seed=None)
    size = rows * x.numel() * 4
    copy_ND = torch.empty(rows, x.numel()) if chance == "none" and size <= memory() else None
    labels: list[Label] = []
    high_N, low_N, first_N = np.empty(rows), np.empty(rows), np.arange(rows)
    known: dict[bytes, int] = {}
    keys = ((STILL, part.tolist()) for part in torch.arange(rows).split(READ_AT_ONCE))
    for x, more in read(reader, keys, workers):
        at = slice(len(labels), len(labels) + len(more))
        flat = scaled(x).flatten(1)
        high_N[at], low_N[at] = flat.amax(1), flat.amin(1)
        if copy_ND is not None:
            copy_ND[at] = flat
        if chance == "none":
            for i, row in enumerate((flat + 0.0).numpy(), at.start):
                first_N[i] = known.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), i)
        labels += more

    def lazily(kinds: Labels, index_N: Tensor) -> LazyItems:
        numbers = index_N.tolist()
        two = (numbers[int(high_N[numbers].argmax())], numbers[int(low_N[numbers].argmin())])
        return LazyItems(reader, index_N, kinds.encode, workers, chance, two)

    pixels = x.dtype == torch.uint8 and x.dim() > 2
    texts = [_("{name}: {n:,} items of {mb} MB are more than fits; they are read for every batch.")]
    if copy_ND is not None:
        texts = [_("{name}: {n:,} items, the same at every reading, are kept in memory ({mb} MB).")]
    if chance != "none":
        texts = [_("{name}: items change from reading to reading; they are read again for every batch.")]
    if chance == "seeded":
        texts.append(_("{name}: each item's chance comes from data seed, epoch and item number."))
    notes = _notes(texts, pixels, name=name, n=rows, mb=numeral(size / 1e6, ",.1f"))
    names = _class_names(dataset)
    whole = not (pixels or x.is_floating_point())
    return FirstPass(reader, labels, lazily, copy_ND, pixels, names, notes, first_N, chance, whole)


def _notes(texts: Sequence[str], pixels: bool, **facts: object) -> list[str]:
    of_pixels = _("{name}: items are taken as they are; nothing is normalised.")
    if pixels:
        of_pixels = _("{name}: bytes are divided by 255, and nothing else is normalised.")
    return [text.format(**facts) for text in (*texts, of_pixels)]


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


def _look_at_stream(source: BatchStream, names: Sequence[str] | None, keep: bool) -> FirstPass:
    labels: list[Label] = []
    copies: list[Tensor] | None = [] if keep else None
    size = steps = batch = 0
    ends: list[tuple[Tensor, Label]] = []  # rows with the largest and the smallest number so far
    sample: list[tuple[Tensor, Label]] = []
    chance, pixels, whole = random.Random(0), False, False
    for x, more in source.once():
        flat = x.flatten(1)
        rows = int(flat.amax(1).argmax()), int(flat.amin(1).argmin())
        ends += [(x[i].clone(), more[i]) for i in rows]
        ends = [max(ends, key=lambda end: end[0].max()), min(ends, key=lambda end: end[0].min())]
        most = max(1, min(HELD_ROWS, HELD_BYTES // (flat.shape[1] * 4)))
        for n, (item, label) in enumerate(zip(x, more, strict=True), len(labels)):
            place = n if n < most else chance.randrange(n + 1)  # reservoir sampling (Vitter 1985)
            if place < most:
                sample[place : place + 1] = [(item.clone(), label)]
        pixels = x.dtype == torch.uint8 and x.dim() > 2
        whole = not (pixels or x.is_floating_point())
        labels += more
        steps, batch = steps + 1, max(batch, len(x))
        size += flat.numel() * 4
        if copies is not None:
            copies = [*copies, scaled(x).flatten(1)] if size <= memory() else None
        if len(labels) > LARGEST_PASS:
            raise STREAM_ENDLESS(name=source.name, n=len(labels))
    if not labels:
        raise DATASET_EMPTY(name=source.name)
    own = steps if source.steps else None
    two, some = ((torch.stack([x for x, _y in of]), [y for _x, y in of]) for of in (ends, sample))

    def lazily(kinds: Labels, index_N: Tensor) -> StreamRows:
        return StreamRows(source, len(index_N), own, batch, kinds.encode, two, some)

    text = _("{name}: an epoch is the {k:,} batches of the first pass ({n:,} rows), as they come.")
    if copies is not None:
        text = _("{name}: {n:,} rows were read once and are kept in memory.")
    elif own is None:
        text = _("{name}: an epoch is the {n:,} rows of the first pass, in the order in which they come.")
    notes = _notes([text], pixels, name=source.name, k=own, n=len(labels))
    kept = torch.cat(copies) if copies is not None else None
    return FirstPass(source, labels, lazily, kept, pixels, names, notes, whole=whole)
