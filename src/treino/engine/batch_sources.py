"""The rows of each step: from memory, from a mapped file (read a block ahead), or from the user's Dataset."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from treino.data.mapped_rows import Batch, MappedRows
from treino.data.rows import tensor_bytes, value_bytes
from treino.engine.augmentation import Changes
from treino.engine.shared_config import SharedConfig
from treino.engine.step_plan import BatchIndices, ChangesOfSteps, StepPlan

BLOCK_BYTES = 1 << 24  # size of a block of rows; at most three blocks are in memory
PULL_SECONDS = 0.02  # longest read, after which training continues with the rows read so far
LONGEST_REWIND = 64  # maximum number of steps before a chunk from which a diverged member is trained again


@dataclass(frozen=True, eq=False)
class KernelRows:
    """Rows in the kernels' form. x: ``[N, ...]``, or an object that reads rows. y: the targets in the loss's
    form. weight_GN: their weights in each bag, None: each counts 1. rows_G: x and y of each bag, if each has
    its own."""

    x: Any
    y: Tensor
    weight_GN: Tensor | None = None
    rows_G: Sequence[tuple[Tensor, Tensor]] = ()


@dataclass(frozen=True, eq=False)
class StepRows:
    """The rows of the steps up to ``stop``. batches: the indices of each step's rows in x and y (None: all).
    orders: these for each of the plan's orders. changes, weight_GN, rows_G: as in ``Chunk``."""

    stop: int
    x: Tensor
    y: Tensor
    batches: list[Tensor | None]
    orders: list[list[Tensor | None]] = field(default_factory=list)
    changes: Sequence[ChangesOfSteps] = ()
    weight_GN: Tensor | None = None
    rows_G: Sequence[tuple[Tensor, Tensor]] = ()


class BatchSource(Protocol):
    """A source of the rows for steps. waited: seconds that training waited for rows. rewind_steps: how many
    steps before the last requested ones can be read again."""

    waited: float
    rewind_steps: int

    def take(self, first: int, stop: int) -> StepRows:
        """The rows of the steps from ``first`` to at most ``stop``, at least of one step."""
        ...


class MemoryBatches:
    """Rows in memory."""

    rewind_steps = LONGEST_REWIND

    def __init__(self, rows: KernelRows, plan: StepPlan, device: torch.device) -> None:
        self.waited = 0.0
        self._rows = rows
        self._orders = [BatchIndices(plan, device, order) for order in plan.orders or (None,)]

    def take(self, first: int, stop: int) -> StepRows:
        taken = [order(first, stop - first) for order in self._orders]
        batches = [indices for indices, _changes in taken]
        orders = batches if len(batches) > 1 else []
        changes = [changes for _indices, changes in taken if changes]
        r = self._rows
        return StepRows(stop, r.x, r.y, batches[0], orders, changes, r.weight_GN, r.rows_G)


@dataclass(frozen=True, eq=False)
class RowBlock:
    """The rows of the steps from ``first`` on, batch after batch, then those that are mixed into them."""

    first: int
    x: Tensor
    y: Tensor
    batches: tuple[Tensor, ...]  # the indices of each step's rows
    changes: ChangesOfSteps = ()
    weight_GN: Tensor | None = None

    @property
    def stop(self) -> int:
        return self.first + len(self.batches)

    def part(self, first: int, stop: int) -> StepRows:
        stop = min(stop, self.stop)
        steps = slice(first - self.first, stop - self.first)
        changes = [self.changes[steps]] if self.changes else []
        return StepRows(stop, self.x, self.y, list(self.batches[steps]), [], changes, self.weight_GN)


class MappedBatches:
    """Rows of a memory-mapped file. While the training uses one block, a thread reads the next."""

    rewind_steps = 0

    def __init__(self, rows: KernelRows, plan: StepPlan, shared: SharedConfig) -> None:
        self.waited = 0.0
        self._rows, self._plan, self._shared = rows, plan, shared
        self._batches = BatchIndices(plan, torch.device("cpu"))
        x: MappedRows = rows.x
        batch = plan.rows if plan.batch_size is None else plan.batch_size
        self._steps = max(1, BLOCK_BYTES // (batch * max(1, x.shape[1:].numel() * value_bytes(x.dtype))))
        self._reader = ThreadPoolExecutor(1, "treino-rows", torch.set_num_threads, (1,))
        self._block: RowBlock | None = None
        self._next: tuple[int, Future[RowBlock]] | None = None

    def take(self, first: int, stop: int) -> StepRows:
        if self._block is None or not self._block.first <= first < self._block.stop:
            begin = time.perf_counter()
            self._block = self._arrived(first)
            self.waited += time.perf_counter() - begin
            if self._block.stop < self._plan.steps:
                self._next = self._block.stop, self._reader.submit(self._read, self._block.stop)
        return self._block.part(first, stop)

    def _arrived(self, first: int) -> RowBlock:
        pending, self._next = self._next, None
        if pending is not None and pending[0] == first:
            return pending[1].result()
        if pending is not None:  # the epochs' orders aren't thread-safe
            pending[1].cancel() or pending[1].exception()
        return self._reader.submit(self._read, first).result()

    def _read(self, first: int) -> RowBlock:
        index_S, changes = self._index(first)
        index = torch.cat([*index_S, *(c.partner_B for c in changes)])
        if first + len(index_S) < self._plan.steps:
            self._rows.x.soon(torch.cat(self._index(first + len(index_S))[0]))
        x = as_kernel_input(self._rows.x.take(index), self._shared)
        y = self._rows.y.index_select(0, index.to(self._rows.y.device))
        places = _places([len(i) for i in (*index_S, *(c.partner_B for c in changes))], self._shared)
        own, partners = places[: len(index_S)], places[len(index_S) :]
        changes = [
            Changes(change.number_BK.to(self._shared.device), partner_B)
            for change, partner_B in zip(changes, partners, strict=True)
        ]
        return RowBlock(first, x, y, own, changes, _weights_of(self._rows, index))

    def _index(self, first: int) -> tuple[list[Tensor], ChangesOfSteps]:
        """The rows of each step of the block that begins with step ``first``, and what is done to them."""
        every, steps = torch.arange(self._plan.rows), min(self._steps, self._plan.steps - first)
        indices, changes = self._batches(first, steps)
        return [every if index is None else index for index in indices], changes


class StreamedBatches:
    """Rows that the user's code yields, batch by batch, in the training's thread.

    A process has one stream of torch's random numbers: if another thread read the items, their random numbers
    would depend on timing. Worker processes have their own streams.
    """

    rewind_steps = 0

    def __init__(self, rows: KernelRows, plan: StepPlan, shared: SharedConfig) -> None:
        self.waited = 0.0
        self._rows, self._plan, self._shared = rows, plan, shared
        self._orders = BatchIndices(plan, torch.device("cpu"))
        self._at = -1
        self._source: Generator[Batch, None, None] | None = None
        self._block: RowBlock | None = None

    def take(self, first: int, stop: int) -> StepRows:
        if self._block is None or not self._block.first <= first < self._block.stop:
            begin = time.perf_counter()
            self._block = self._pull(first, stop, begin)
            self.waited += time.perf_counter() - begin
        return self._block.part(first, stop)

    def _pull(self, first: int, stop: int, begin: float) -> RowBlock:
        if self._at != first or self._source is None:
            self._source = self._rows.x.batches(self._visits(first))
        source, self._source = self._source, None  # an interrupted iterator can't be continued
        batches: list[Batch] = []
        size = 0
        while first + len(batches) < stop and size < BLOCK_BYTES:
            x, y = next(source)
            batches.append((x, y))
            size += tensor_bytes(x)
            if time.perf_counter() - begin > PULL_SECONDS:
                break
        self._at = first + len(batches)
        if self._at < self._plan.steps:
            self._source = source
        else:
            source.close()  # ends its worker processes
        x, y = (torch.cat(t) if len(t) > 1 else t[0] for t in zip(*batches, strict=True))
        y = self._shared.loss.target(y, self._shared.dtype).to(self._shared.device)
        own = _places([len(b) for b, _y in batches], self._shared)
        weight_GB = (
            None if self._rows.weight_GN is None else _weights_of(self._rows, self._index(first, len(own)))
        )
        return RowBlock(first, as_kernel_input(x, self._shared), y, own, weight_GN=weight_GB)

    def _index(self, first: int, steps: int) -> Tensor:
        """The row numbers of these steps, one after the other."""
        every = torch.arange(self._plan.rows)
        return torch.cat([every if i is None else i for i in self._orders(first, steps)[0]])

    def _visits(self, first: int) -> Iterator[tuple[int, Tensor]]:
        """(epoch, rows) of every step from ``first`` on."""
        every = torch.arange(self._plan.rows if self._plan.batches is None else 0)
        for step in range(first, self._plan.steps):
            if self._plan.batches is not None:
                yield self._plan.count.place(step)[0], every
                continue
            (index,), _changes = self._orders(step, 1)
            yield self._plan.count.place(step)[0], every if index is None else index


def batch_source(rows: KernelRows, plan: StepPlan, shared: SharedConfig) -> BatchSource:
    if isinstance(rows.x, Tensor):
        return MemoryBatches(rows, plan, shared.device)
    return (
        MappedBatches(rows, plan, shared)
        if isinstance(rows.x, MappedRows)
        else StreamedBatches(rows, plan, shared)
    )


def as_kernel_input(x: Tensor, shared: SharedConfig) -> Tensor:
    """Rows in the network's shape, dtype and device, aligned to 64 bytes."""
    shape = (x.shape[1:].numel(),) if shared.item_shape is None else shared.item_shape
    return aligned(x.reshape(len(x), *shape), shared.dtype, shared.device)


def aligned(t: Tensor, dtype: torch.dtype | None, device: torch.device) -> Tensor:
    """A contiguous tensor aligned to 64 bytes, like torch's own memory: the bits of results depend on it."""
    t = t.to(device=device, dtype=dtype or t.dtype).contiguous()
    return t if t.data_ptr() % 64 == 0 else t.clone()


def _weights_of(rows: KernelRows, index: Tensor) -> Tensor | None:
    weight_GN = rows.weight_GN
    return None if weight_GN is None else weight_GN.index_select(1, index.to(weight_GN.device))


def _places(sizes: list[int], shared: SharedConfig) -> tuple[Tensor, ...]:
    places: tuple[Tensor, ...] = torch.arange(sum(sizes)).to(shared.device).split(sizes)
    return places
