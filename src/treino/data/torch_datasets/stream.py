"""Go through batches of the user's DataLoader, or items of an IterableDataset."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from treino.base.errors import Refusal
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
from treino.data.torch_datasets.lazy_items import Encode, as_it_is, begun, fails

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
        return _("the order and the batches of its rows are made by {name} itself").format(
            name=self._source.name
        )

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
