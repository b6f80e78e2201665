"""Read items of a Dataset, or batches of a DataLoader, when they are used; errors name the item."""

import re
import signal
import sysconfig
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from treino.base.errors import Refusal, TreinoError
from treino.base.own_calls import own_call, reseed_all, same_process
from treino.base.words import _
from treino.data.mapped_rows import Batch
from treino.data.torch_datasets.item import (
    ItemFormat,
    Label,
    as_label,
    as_numbers,
    check_finite,
    check_shape,
    item_format,
    scaled,
)

ITEM_FAILS = Refusal("{where} raises {kind}: {error}.", "{hint}")

Key = tuple[int, list[int]]  # epoch, item numbers
Raw = tuple[Tensor, list[Label]]
Encode = Callable[[Sequence[Label], Callable[[int], str]], Tensor]
STILL = -1  # the epoch number for reading outside training epochs: validation, test, the first pass
_LIBRARIES = tuple(
    {str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "purelib", "platlib")}
    | {str(Path(__file__).resolve().parents[1])}
)


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads items, in this process or in a worker.

    item_shape: the shape that all items must have. seed: seeds the global generators before each item; None:
    don't seed.
    """

    dataset: Any
    name: str
    form: ItemFormat
    item_shape: tuple[int, ...]
    seed: int | None

    def __getitem__(self, key: Key) -> Raw | TreinoError:
        """Return (x ``[B, *item]``, labels). Return an error instead of raising it: a worker would lose its
        details."""
        epoch, index = key
        try:
            with same_process(self.seed is not None):
                xs, labels = zip(*(self._item(epoch, i) for i in index), strict=True)
            x_B = torch.stack(xs)
            check_finite(x_B, lambda at: self.where(index[at]))
        except TreinoError as error:
            return error
        return x_B, list(labels)

    def _item(self, epoch: int, i: int) -> tuple[Tensor, Label]:
        if self.seed is not None:
            digest = sha256(f"{self.seed}/item/{epoch}/{i}".encode()).digest()
            reseed_all(int.from_bytes(digest[:8], "big") >> 1)
        hint = _("Try it alone: dataset[{i}].")
        with own_call(lambda error: fails(error, self.where(i), hint.format(i=i))):
            item = self.dataset[i]
        return self.form.numbers(item, self.where(i), self.item_shape)

    def where(self, i: int) -> str:
        """The place of an item, in words."""
        return _("item {i} of {name}").format(i=i, name=self.name)


def read(reader: Reader, keys: Iterable[Key], workers: int = 0) -> Iterator[Raw]:
    """Yields the reader's result for each key, in order. workers: the number of processes that read ahead."""
    answers: Iterable[Any] = map(reader.__getitem__, keys)
    if workers:
        answers = begun(_in_workers(reader, workers, sampler=keys))
    for answer in answers:
        if isinstance(answer, TreinoError):
            raise answer
        yield answer


def _in_workers(source: Any, workers: int, **options: Any) -> Iterable[Any]:
    """A DataLoader that yields what the source yields, but doesn't use the global random generator."""
    more: dict[str, Any] = {"batch_size": None, "collate_fn": as_it_is, "generator": torch.Generator()}
    return DataLoader(source, num_workers=workers, **more, **options)


def begun(source: Iterable[Any]) -> Iterator[Any]:
    """``iter(source)``, with Ctrl-C blocked in its worker processes, because training itself ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        return iter(source)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited by new processes
    try:
        return iter(source)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def as_it_is(answer: Any) -> Any:
    return answer


class _OutsideRows:
    """The base class of rows of a Dataset and rows of a stream; an object of either replaces ``Rows.x``.

    shape: that of a tensor of all rows. encode: converts labels to y. place: words for the place of any row.
    """

    dtype = torch.float32
    steps: int | None = None  # the training makes the batches

    def __init__(self, shape: Sequence[int], encode: Encode, place: str) -> None:
        self.shape, self._encode, self._place = torch.Size(shape), encode, place

    def __len__(self) -> int:
        return self.shape[0]

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        raise NotImplementedError

    def split(self, rows: int) -> Iterator[Tensor]:
        return (x for x, _y in self.parts(torch.empty(0), rows))

    def _encoded(self, raw: Raw) -> Batch:
        return scaled(raw[0]).flatten(1), self._encode(raw[1], lambda _row: self._place)


class LazyItems(_OutsideRows):
    """Rows of a Dataset that are read when they are used.

    index_N: the item numbers. chance: ``none``, items never change; ``seeded``, an item changes with each
    epoch, seeded by data seed, epoch and item number; ``free``, it isn't reproducible. two: the items with
    the largest and the smallest number.
    """

    def __init__(
        self,
        reader: Reader,
        index_N: Tensor,
        encode: Encode,
        workers: int,
        chance: Literal["none", "seeded", "free"],
        two: tuple[int, int],
    ) -> None:
        shape = (len(index_N), int(np.prod(reader.item_shape)))
        super().__init__(shape, encode, _("an item of {name}").format(name=reader.name))
        self._reader, self._index_N, self._workers, self._two = reader, index_N, workers, two
        self.chance = chance

    @property
    def why(self) -> str:
        """Why the rows aren't reproducible; empty if they are."""
        text = _(
            "two readings of an item of {name} differ, also from the same seeds of torch, NumPy and random"
        )
        return text.format(name=self._reader.name) if self.chance == "free" else ""

    def batches(self, visits: Iterable[tuple[int, Tensor]]) -> Generator[Batch, None, None]:
        """Yields the batch of each (epoch, rows)."""
        keys = ((epoch, self._index_N[rows].tolist()) for epoch, rows in visits)
        for raw in read(self._reader, keys, self._workers):
            yield self._encoded(raw)

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        return self.in_batches(y, torch.arange(len(self)), rows)

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        return self.batches((STILL, part) for part in order_N.split(batch_size))

    def two(self, y: Tensor) -> Batch:
        place = torch.tensor([(self._index_N == i).nonzero()[0, 0] for i in self._two])
        return self[place], y[place]

    def __getitem__(self, index: Any) -> Tensor:
        """A copy of these rows. index: an int, a slice, or an integer or boolean tensor."""
        rows = torch.arange(len(self))[index]
        if rows.dim() == 0:
            return self[rows.unsqueeze(0)][0]
        return torch.cat([x for x, _y in self.in_batches(rows, rows, 64)])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        assert dim == 0
        return self[index]


def fails(error: BaseException, where: str, hint: str, *, search: bool = False) -> TreinoError:
    """The TreinoError for an exception in the user's code, naming the line that raised it.

    search: find the item number in the traceback, because ``where`` doesn't name it.
    """
    message = str(error).strip()
    frames = list(traceback.extract_tb(error.__traceback__))
    if "Original Traceback" in message:  # a DataLoader worker's error contains its traceback as text
        found = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', message)
        frames = [traceback.FrameSummary(file, int(line), name) for file, line, name in found]
        message = message.splitlines()[-1].partition(": ")[2]
    own = [f for f in frames if not str(Path(f.filename).resolve()).startswith(_LIBRARIES)]
    said, item = message.rstrip("."), _item_in(error) if search else None
    if own:
        facts = {"file": Path(own[-1].filename).name, "line": own[-1].lineno, "function": own[-1].name}
        text = _("{error} ({file}, line {line}, in {function}: {text})")
        said = text.format(error=said, text=own[-1].line or "", **facts)
    where = where[:1].upper() + where[1:]
    failure = ITEM_FAILS(
        where=where if item is None else _("{where}, at item {i},").format(where=where, i=item),
        kind=type(error).__name__,
        error=said,
        hint=hint,
    )
    failure.__cause__ = error
    return failure


def _item_in(error: BaseException) -> int | None:
    """The item number passed to the failing ``__getitem__``; None if it can't be found."""
    for frame, _line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_name == "__getitem__" and code.co_argcount == 2 and code.co_filename != __file__:
            number = frame.f_locals.get(code.co_varnames[1])
            if isinstance(number, int):
                return number
    return None


# ---- streams: batches of a DataLoader, or items of an IterableDataset

STREAM_INDEX = Refusal(
    "{name} comes as it comes: it has no row {index}.", "Go through it: for x, y in rows.batches(): …"
)
BATCH_ROWS = Refusal(
    "{where} has {x} rows of x and {y} of y.",
    "Let the loader's collate_fn return x [rows, ...] and y [rows].",
)
STREAM_EXHAUSTED = Refusal(
    "Another pass over {name} gives nothing: it can be gone through only once.",
    "Let its __iter__ begin anew each time; a generator is over after one pass.",
)

ITEMS_AT_ONCE = 32  # items of an IterableDataset, which has no batch size, that are stacked at a time
LARGEST_PASS = 20_000_000  # rows; a longer stream counts as endless


class BatchStream:
    """A DataLoader or an IterableDataset that is iterated repeatedly.

    steps: whether the source yields batches, which become the training steps; None: not known yet. Single
    items are collected into batches of the training's batch size.
    """

    def __init__(
        self,
        source: Any,
        name: str,
        features: Sequence[str] | None,
        target: str | None,
        workers: int,
        form: ItemFormat | None = None,
    ) -> None:
        self.name = name
        # a loader without batch_sampler may still yield batches that its Dataset makes
        self.steps: bool | None = True if getattr(source, "batch_sampler", None) is not None else None
        self._features, self._target = features, target
        self._source = source
        if isinstance(source, IterableDataset) and workers:
            self._source = _in_workers(source, workers)
        self._form = form
        self.item_shape: tuple[int, ...] = ()

    @property
    def form(self) -> ItemFormat:
        assert self._form is not None
        return self._form

    def once(self) -> Iterator[Raw]:
        """Yields (x ``[B, *item]``, labels) of every batch, or of some items at a time, in one pass."""
        answers = self._answers()
        first = next(answers, None)
        if first is None:
            return
        self._form = self._form or item_format(first, self._features, self._target)
        if self.steps is None:
            self.steps = _together(*self.form.pair(first, self._where(0)))
        numbered = enumerate(chain([first], answers))
        if self.steps:
            yield from (self._batch(answer, self._where(at)) for at, answer in numbered)
            return
        while some := [self._item(answer, self._where(at)) for at, answer in islice(numbered, ITEMS_AT_ONCE)]:
            yield torch.stack([x for x, _label in some]), [label for _x, label in some]

    def _where(self, at: int) -> str:
        text = _("batch {i} of {name}") if self.steps else _("item {i} of {name}")
        return text.format(i=at, name=self.name)

    def _answers(self) -> Iterator[Any]:
        hint = _("Go through it alone, with num_workers=0: for item in ...: pass")
        at, source = 0, None
        while True:
            try:
                source = begun(self._source) if source is None else source
                answer = next(source)
            except StopIteration:
                return
            except (Exception, SystemExit) as error:
                raise fails(error, self._where(at), hint, search=True) from error
            yield answer
            at += 1

    def _item(self, answer: Any, where: str) -> tuple[Tensor, Label]:
        x, label = self.form.numbers(answer, where, self.item_shape)
        self.item_shape = tuple(x.shape)
        check_finite(x.unsqueeze(0), lambda _at: where)
        return x, label

    def _batch(self, answer: Any, where: str) -> Raw:
        x, y = self.form.pair(answer, where)
        x_B = as_numbers(x, where)
        if self.form.alone:
            y = [0] * len(x_B)
        labels = [as_label(value, where) for value in (y.tolist() if hasattr(y, "tolist") else y)]
        if x_B.dim() == 1:
            x_B = x_B.unsqueeze(1)
        if len(labels) != len(x_B) or not labels:
            raise BATCH_ROWS(where=where, x=len(x_B), y=len(labels))
        check_shape(tuple(x_B.shape[1:]), self.item_shape, where)
        self.item_shape = tuple(x_B.shape[1:])
        check_finite(x_B, lambda _at: where)
        return x_B, labels


class StreamRows(_OutsideRows):
    """Rows of a BatchStream, in its own order.

    steps: the source's batches per pass; None if the training makes the batches. batch: rows of the largest
    batch. sample: a sample of the rows as (x, y), for plots. two: the rows with the largest and the smallest
    number.
    """

    def __init__(
        self,
        source: BatchStream,
        rows: int,
        steps: int | None,
        batch: int,
        encode: Encode,
        two: Raw,
        sample: Raw,
    ) -> None:
        shape = (rows, torch.Size(source.item_shape).numel())
        super().__init__(shape, encode, _("a row of {name}").format(name=source.name))
        self._source, self.steps, self.batch = source, steps, batch
        self._two, self.sample = self._encoded(two), self._encoded(sample)

    @property
    def why(self) -> str:
        text = _("the order and the batches of its rows are made by {name} itself")
        return text.format(name=self._source.name)

    def _endless(self) -> Iterator[Raw]:
        while True:
            empty = True
            for raw in self._source.once():
                empty = False
                yield raw
            if empty:
                raise STREAM_EXHAUSTED(name=self._source.name)

    def batches(self, visits: Iterable[tuple[int, Tensor]]) -> Generator[Batch, None, None]:
        """Yields a batch for each visit: the source's next batch, or as many of its next rows as the visit
        has."""
        endless = self._endless()
        if self.steps is not None:
            yield from (self._encoded(raw) for _visit, raw in zip(visits, endless, strict=False))
            return
        x, labels = next(endless)
        for _epoch, rows in visits:
            while len(x) < len(rows):
                more, others = next(endless)
                x, labels = torch.cat([x, more]), labels + others
            yield self._encoded((x[: len(rows)], labels[: len(rows)]))
            x, labels = x[len(rows) :], labels[len(rows) :]

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        """Yields one pass in the source's batches; ``rows`` has no effect."""
        return map(self._encoded, self._source.once())

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        """Yields one pass in the source's own order, and in its own batches if it has batches."""
        if self.steps is not None:
            return self.parts(y, batch_size)
        return self.batches((0, part) for part in order_N.split(batch_size))

    def __getitem__(self, index: Any) -> Tensor:
        raise STREAM_INDEX(name=self._source.name, index=index)

    def two(self, y: Tensor) -> Batch:
        return self._two


def _together(x: Any, y: Any) -> bool:
    """Whether (x, y) is a batch and not an item: x has several rows, each with a target."""
    try:
        return not isinstance(y, str | bytes) and len(y) == len(x) > 1
    except TypeError:
        return False
