"""Read items of a Dataset, or batches of a DataLoader, when they are used; errors name the item."""

import random
import re
import signal
import sysconfig
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from treino.base.errors import Refusal, TreinoError
from treino.base.words import N_, _
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

ITEM_FAILS = Refusal("item_fails", N_("{where}{item} raises {kind}: {error}{line}."), "{hint}")

Key = tuple[int, list[int]]  # epoch, item numbers
Encode = Callable[[Sequence[Label], Callable[[int], str]], Tensor]
STILL = -1  # the epoch number for reading outside training epochs: validation, test, the first pass
_LIBRARIES = tuple(
    {str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "purelib", "platlib")}
    | {str(Path(__file__).resolve().parents[1])}
)


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads items, in this process or in a worker.

    item_shape: the shape that all items must have; None: any. seed: seeds the global generators before each
    item; None: don't seed.
    """

    dataset: Any
    name: str
    form: ItemFormat
    item_shape: tuple[int, ...] | None
    seed: int | None

    def __getitem__(self, key: Key) -> tuple[Tensor, list[Label]] | TreinoError:
        """Return (x ``[B, *item]``, labels). Return an error instead of raising it: a worker would lose its
        details."""
        epoch, index = key
        xs, labels = [], []
        with own_chance(self.seed is not None):
            for i in index:
                if self.seed is not None:
                    _reseed(self.seed, epoch, i)
                where = _("item {i} of {name}").format(i=i, name=self.name)
                try:
                    item = self.dataset[i]
                except (Exception, SystemExit) as error:
                    return fails(error, where, _("Try it alone: dataset[{i}].").format(i=i))
                try:
                    x, y = self.form.pair(item, where)
                    xs.append(as_numbers(x, where))
                    labels.append(as_label(y, where))
                    check_shape(tuple(xs[-1].shape), self.item_shape, where)
                except TreinoError as error:
                    return error
        x_B = torch.stack(xs)
        if x_B.is_floating_point() and not bool(x_B.sum().isfinite()):  # faster than testing every value
            try:
                for i, x in zip(index, xs, strict=True):
                    check_finite(x, _("item {i} of {name}").format(i=i, name=self.name))
            except TreinoError as error:
                return error
        return x_B, labels


def read(reader: Reader, keys: Iterable[Key], workers: int = 0) -> Iterator[tuple[Tensor, list[Label]]]:
    """Yields the reader's result for each key, in order. workers: the number of processes that read ahead."""
    answers: Iterable[Any]
    if workers:
        loader: Iterable[Any] = torch.utils.data.DataLoader(
            reader,  # type: ignore[arg-type]
            batch_size=None,
            sampler=keys,
            num_workers=workers,
            collate_fn=as_it_is,
            generator=torch.Generator(),  # so that the global generator isn't used
        )
        answers = begun(loader)
    else:
        answers = map(reader.__getitem__, keys)
    for answer in answers:
        if isinstance(answer, TreinoError):
            raise answer
        yield answer


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


class LazyItems:
    """Rows of a Dataset that are read when they are used; replaces ``Rows.x``.

    index_N: the item numbers. encode: converts labels to y. chance: ``none``, items never change; ``seeded``,
    an item changes with each epoch, seeded by data seed, epoch and item number; ``free``, it isn't
    reproducible. two: the items with the largest and the smallest number.
    """

    steps = None  # the training makes the batches
    dtype = torch.float32

    def __init__(
        self,
        reader: Reader,
        index_N: Tensor,
        encode: Encode,
        workers: int,
        chance: Literal["none", "seeded", "free"],
        two: tuple[int, int],
    ) -> None:
        assert reader.item_shape is not None
        self._reader, self._index_N, self._encode = reader, index_N, encode
        self._workers, self._two, self.chance = workers, two, chance
        self.shape = torch.Size((len(index_N), int(np.prod(reader.item_shape))))

    @property
    def reproducible(self) -> bool:
        return self.chance != "free"

    @property
    def why(self) -> str:
        """Why the rows aren't reproducible; empty if they are."""
        if self.reproducible:
            return ""
        return _(
            "two readings of an item of {name} differ, also from the same seeds of torch, NumPy and random"
        ).format(name=self._reader.name)

    def __len__(self) -> int:
        return len(self._index_N)

    def batches(self, visits: Iterable[tuple[int, Tensor]]) -> Generator[Batch, None, None]:
        """Yields the batch of each (epoch, rows)."""
        keys = ((epoch, self._index_N[rows].tolist()) for epoch, rows in visits)
        for x, labels in read(self._reader, keys, self._workers):
            yield scaled(x).flatten(1), self._encode(labels, self._place)

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        return self.batches((STILL, part) for part in torch.arange(len(self)).split(rows))

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        return self.batches((STILL, part) for part in order_N.split(batch_size))

    def split(self, rows: int) -> Iterator[Tensor]:
        return (x for x, _y in self.parts(torch.empty(0), rows))

    def two(self, y: Tensor) -> Batch:
        place = torch.tensor([(self._index_N == i).nonzero()[0, 0] for i in self._two])
        return self[place], y[place]

    def __getitem__(self, index: Any) -> Tensor:
        """A copy of these rows. index: an int, a slice, or an integer or boolean tensor."""
        rows = torch.arange(len(self))[index]
        if rows.dim() == 0:
            return self[rows.unsqueeze(0)][0]
        return torch.cat([x for x, _y in self.batches((STILL, part) for part in rows.split(64))])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        assert dim == 0
        return self[index]

    def _place(self, row: int) -> str:
        return _("an item of {name}").format(name=self._reader.name)


def fails(error: BaseException, where: str, hint: str, *, search: bool = False) -> TreinoError:
    """The TreinoError for an exception in the user's code, naming the line that raised it.

    search: find the item number in the traceback, because ``where`` doesn't name it.
    """
    message = str(error).strip()
    frames = list(traceback.extract_tb(error.__traceback__))
    if "Original Traceback" in message:  # a DataLoader worker's error contains its traceback as text
        frames = [traceback.FrameSummary(*frame) for frame in _frames_in(message)]
        message = message.splitlines()[-1].partition(": ")[2]
    own = [f for f in frames if not str(Path(f.filename).resolve()).startswith(_LIBRARIES)]
    item = _item_in(error) if search else None
    failure = ITEM_FAILS(
        where=where[:1].upper() + where[1:],
        item="" if item is None else _(", at item {i},").format(i=item),
        kind=type(error).__name__,
        error=message.rstrip("."),
        line=_(" ({file}, line {line}, in {function}: {text})").format(
            file=Path(own[-1].filename).name,
            line=own[-1].lineno,
            function=own[-1].name,
            text=own[-1].line or "",
        )
        if own
        else "",
        hint=hint,
    )
    failure.__cause__ = error
    return failure


def _frames_in(text: str) -> list[tuple[str, int, str]]:
    matches = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', text)
    return [(file, int(line), function) for file, line, function in matches]


def _item_in(error: BaseException) -> int | None:
    """The item number passed to the failing ``__getitem__``; None if it can't be found."""
    at, number = error.__traceback__, None
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_name == "__getitem__" and code.co_argcount == 2 and code.co_filename != __file__:
            value = at.tb_frame.f_locals.get(code.co_varnames[1])
            number = value if number is None and isinstance(value, int) else number
        at = at.tb_next
    return number


@contextmanager
def own_chance(restore: bool) -> Iterator[None]:
    """Context manager: if ``restore``, restore the global random states of torch, NumPy and random on
    exit."""
    if not restore:
        yield
        return
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])


def _reseed(seed: int, epoch: int, item: int) -> None:
    number = int.from_bytes(sha256(f"{seed}/item/{epoch}/{item}".encode()).digest()[:8], "big") >> 1
    torch.default_generator.manual_seed(number)
    np.random.seed(number % 2**32)
    random.seed(number)


# ---- streams: batches of a DataLoader, or items of an IterableDataset

STREAM_INDEX = Refusal(
    "stream_index",
    N_("{name} comes as it comes: it has no row {index}."),
    N_("Go through it: for x, y in rows.batches(): …"),
)
BATCH_ROWS = Refusal(
    "batch_rows",
    N_("{where} has {x} rows of x and {y} of y."),
    N_("Let the loader's collate_fn return x [rows, ...] and y [rows]."),
)
STREAM_EXHAUSTED = Refusal(
    "stream_exhausted",
    N_("Another pass over {name} gives nothing: it can be gone through only once."),
    N_("Let its __iter__ begin anew each time; a generator is over after one pass."),
)

Raw = tuple[Tensor, list[Label]]
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
            self._source = DataLoader(
                source,
                batch_size=None,
                num_workers=workers,
                collate_fn=as_it_is,
                generator=torch.Generator(),
            )
        self._form = form
        self.item_shape: tuple[int, ...] | None = None

    @property
    def form(self) -> ItemFormat:
        assert self._form is not None
        return self._form

    def once(self) -> Iterator[Raw]:
        """Yields (x ``[B, *item]``, labels) of every batch, or of some items at a time, in one pass."""
        answers = self._answers()
        if self.steps is None:
            first = next(answers, None)
            if first is None:
                return
            self.steps = _together(*self._pair(first, _("the first item of {name}").format(name=self.name)))
            answers = chain([first], answers)
        if self.steps:
            for at, answer in enumerate(answers):
                yield self._batch(answer, _("batch {i} of {name}").format(i=at, name=self.name))
            return
        xs: list[Tensor] = []
        labels: list[Label] = []
        for at, answer in enumerate(answers):
            where = _("item {i} of {name}").format(i=at, name=self.name)
            x, y = self._pair(answer, where)
            xs.append(as_numbers(x, where))
            labels.append(as_label(y, where))
            self._check(xs[-1], tuple(xs[-1].shape), where)
            if len(xs) == ITEMS_AT_ONCE:
                yield torch.stack(xs), labels
                xs, labels = [], []
        if xs:
            yield torch.stack(xs), labels

    def _answers(self) -> Iterator[Any]:
        what = _("batch {i} of {name}") if self.steps else _("item {i} of {name}")
        hint = _("Go through it alone, with num_workers=0: for item in ...: pass")
        at, source = 0, None
        while True:
            try:
                source = begun(self._source) if source is None else source
                answer = next(source)
            except StopIteration:
                return
            except (Exception, SystemExit) as error:
                raise fails(error, what.format(i=at, name=self.name), hint, search=True) from error
            yield answer
            at += 1

    def _pair(self, answer: Any, where: str) -> tuple[Any, Any]:
        if self._form is None:
            self._form = item_format(answer, self._features, self._target)
        return self._form.pair(answer, where)

    def _batch(self, answer: Any, where: str) -> Raw:
        x, y = self._pair(answer, where)
        x_B = as_numbers(x, where)
        if self.form.alone:
            y = [0] * len(x_B)
        labels = [as_label(value, where) for value in (y.tolist() if hasattr(y, "tolist") else y)]
        if x_B.dim() == 1:
            x_B = x_B.unsqueeze(1)
        if len(labels) != len(x_B) or not labels:
            raise BATCH_ROWS(where=where, x=len(x_B), y=len(labels))
        self._check(x_B, tuple(x_B.shape[1:]), where)
        return x_B, labels

    def _check(self, x: Tensor, shape: tuple[int, ...], where: str) -> None:
        self.item_shape = self.item_shape or shape
        check_shape(shape, self.item_shape, where)
        check_finite(x, where)


class StreamRows:
    """Rows of a BatchStream, in its own order; replaces ``Rows.x``.

    steps: the source's batches per pass; None if the training makes the batches. batch: rows of the largest
    batch. sample: a sample of the rows as (x, y), for plots.
    """

    dtype = torch.float32
    reproducible = False

    def __init__(
        self,
        source: BatchStream,
        rows: int,
        steps: int | None,
        batch: int,
        encode: Encode,
        two: Batch,
        sample: Batch,
    ) -> None:
        assert source.item_shape is not None
        self._source, self._encode, self._two, self.sample = source, encode, two, sample
        self.steps, self.batch = steps, batch
        self.shape = torch.Size((rows, torch.Size(source.item_shape).numel()))

    @property
    def why(self) -> str:
        text = _("the order and the batches of its rows are made by {name} itself")
        return text.format(name=self._source.name)

    def __len__(self) -> int:
        return self.shape[0]

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
            for _visit, (x, labels) in zip(visits, endless, strict=False):
                yield self._encoded(x, labels)
            return
        x, labels = next(endless)
        for _epoch, rows in visits:
            while len(x) < len(rows):
                more, others = next(endless)
                x, labels = torch.cat([x, more]), labels + others
            yield self._encoded(x[: len(rows)], labels[: len(rows)])
            x, labels = x[len(rows) :], labels[len(rows) :]

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        """Yields one pass in the source's batches; ``rows`` has no effect."""
        return (self._encoded(x, labels) for x, labels in self._source.once())

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        """Yields one pass in the source's own order, and in its own batches if it has batches."""
        if self.steps is not None:
            return self.parts(y, batch_size)
        return self.batches((0, part) for part in order_N.split(batch_size))

    def __getitem__(self, index: Any) -> Tensor:
        raise STREAM_INDEX(name=self._source.name, index=index)

    def split(self, rows: int) -> Iterator[Tensor]:
        return (x for x, _y in self.parts(torch.empty(0), rows))

    def two(self, y: Tensor) -> Batch:
        return self._two

    def _encoded(self, x: Tensor, labels: list[Label]) -> Batch:
        return scaled(x).flatten(1), self._encode(labels, self._place)

    def _place(self, row: int) -> str:
        return _("a row of {name}").format(name=self._source.name)


def _together(x: Any, y: Any) -> bool:
    """Whether (x, y) is a batch and not an item: x has several rows, each with a target."""
    try:
        return not isinstance(y, str | bytes) and len(y) == len(x) > 1
    except TypeError:
        return False
