"""The rows of each step: from memory, from a mapped file (read a block ahead), or from the user's Dataset."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from treino.data.mapped_rows import Batch, MappedRows
from treino.engine.augmentation import Changes
from treino.engine.model import Model
from treino.engine.step_plan import BatchIndices, Chunk, StepPlan

BLOCK_BYTES = 1 << 24  # size of a block of rows; at most three blocks are in memory
PULL_SECONDS = 0.02  # longest read, after which training continues with the rows read so far
LONGEST_REWIND = 64  # maximum number of steps before a chunk from which a diverged member is trained again


@dataclass(frozen=True, eq=False)
class KernelRows:
    """Rows as kernels take them. x: ``[N, ...]``, or an object that reads them. y: the targets in the loss's
    form. weight_GN: their weights in each bag, None: each counts 1. rows_G: x and y of each bag, if each has
    its own."""

    x: Any
    y: Tensor
    weight_GN: Tensor | None = None
    rows_G: Sequence[tuple[Tensor, Tensor]] = ()


class BatchSource(Protocol):
    """A source of the rows for steps. waited: seconds that training waited for rows. rewind_steps: how many
    steps before the last requested ones can be read again."""

    waited: float
    rewind_steps: int

    def take(self, first: int, stop: int) -> Chunk:
        """The steps from ``first`` to at most ``stop``, at least one."""
        ...


class MemoryBatches:
    """Rows in memory."""

    rewind_steps = LONGEST_REWIND

    def __init__(self, rows: KernelRows, plan: StepPlan, device: torch.device) -> None:
        self.waited = 0.0
        self._rows, self._plan = rows, plan
        self._orders = [BatchIndices(plan, device, order) for order in plan.orders or (None,)]

    def take(self, first: int, stop: int) -> Chunk:
        batches, changes = zip(*(order(first, stop - first) for order in self._orders), strict=True)
        orders = batches if len(batches) > 1 else ()
        r = self._rows
        own = orders, [each for each in changes if each], r.weight_GN, r.rows_G
        return self._plan.chunk(first, r.x, r.y, batches[0], *own)


class BlockBatches:
    """Rows that are read in blocks of several steps, by ``_next_block(first, stop)``."""

    rewind_steps = 0

    def __init__(self, rows: KernelRows, plan: StepPlan, model: Model) -> None:
        self.waited = 0.0
        self._rows, self._plan, self._model = rows, plan, model
        self._orders = BatchIndices(plan, torch.device("cpu"))
        self._block: Chunk | None = None

    def take(self, first: int, stop: int) -> Chunk:
        if self._block is None or not self._block.first <= first < self._block.stop:
            begin = time.perf_counter()
            self._block = self._next_block(first, stop)
            self.waited += time.perf_counter() - begin
        return self._block.part(first, stop)

    def _next_block(self, first: int, stop: int) -> Chunk:
        raise NotImplementedError

    def _index(self, first: int, steps: int) -> tuple[list[Tensor], Sequence[Changes]]:
        """The row numbers of each of these steps, and the changes to their pictures."""
        indices, changes = self._orders(first, steps)
        return [torch.arange(self._plan.rows) if i is None else i for i in indices], changes

    def _places(self, sizes: list[int]) -> tuple[Tensor, ...]:
        """The places of consecutive parts of these sizes in a block."""
        places: tuple[Tensor, ...] = torch.arange(sum(sizes)).to(self._model.device).split(sizes)
        return places

    def _weights(self, index: Tensor) -> Tensor | None:
        weight_GN = self._rows.weight_GN
        return None if weight_GN is None else weight_GN.index_select(1, index.to(weight_GN.device))


class MappedBatches(BlockBatches):
    """Rows of a memory-mapped file. While the training uses one block, a thread reads the next."""

    def __init__(self, rows: KernelRows, plan: StepPlan, model: Model) -> None:
        super().__init__(rows, plan, model)
        x: MappedRows = rows.x
        batch = plan.rows if plan.batch_size is None else plan.batch_size
        self._steps = max(1, BLOCK_BYTES // (batch * max(1, x.shape[1:].numel() * x.dtype.itemsize)))
        self._reader = ThreadPoolExecutor(1, "treino-rows", torch.set_num_threads, (1,))
        self._next: tuple[int, Future[Chunk]] | None = None

    def _next_block(self, first: int, stop: int) -> Chunk:
        pending, self._next = self._next, None
        if pending is not None and pending[0] == first:
            block = pending[1].result()
        else:
            if pending is not None:  # the epochs' orders aren't thread-safe
                pending[1].cancel() or pending[1].exception()
            block = self._reader.submit(self._read, first).result()
        if block.stop < self._plan.steps:
            self._next = block.stop, self._reader.submit(self._read, block.stop)
        return block

    def _read(self, first: int) -> Chunk:
        index_S, changes = self._index(first, min(self._steps, self._plan.steps - first))
        parts = [*index_S, *(c.partner_B for c in changes)]  # batch after batch, then rows mixed into them
        index, after = torch.cat(parts), first + len(index_S)
        if after < self._plan.steps:
            soon, _changes = self._index(after, min(self._steps, self._plan.steps - after))
            self._rows.x.soon(torch.cat(soon))
        x = as_kernel_input(self._rows.x.take(index), self._model)
        y = self._rows.y.index_select(0, index.to(self._rows.y.device))
        places = self._places(list(map(len, parts)))
        changes = [
            Changes(change.number_BK.to(self._model.device), partner_B)
            for change, partner_B in zip(changes, places[len(index_S) :], strict=True)
        ]
        own = (), [changes] if changes else [], self._weights(index)
        return self._plan.chunk(first, x, y, places[: len(index_S)], *own)


class StreamedBatches(BlockBatches):
    """Rows that the user's code yields, batch by batch, in the training's thread.

    A process has one stream of torch's random numbers: if another thread read the items, their random numbers
    would depend on timing. Worker processes have their own streams.
    """

    _at = -1
    _source: Generator[Batch, None, None] | None = None

    def _next_block(self, first: int, stop: int) -> Chunk:
        begin = time.perf_counter()
        if self._at != first or self._source is None:
            self._source = self._rows.x.batches(self._visits(first))
        source, self._source = self._source, None  # an interrupted iterator can't be continued
        batches: list[Batch] = []
        size = 0
        while first + len(batches) < stop and size < BLOCK_BYTES:
            x, y = next(source)
            batches.append((x, y))
            size += x.nbytes
            if time.perf_counter() - begin > PULL_SECONDS:
                break
        self._at = first + len(batches)
        if self._at < self._plan.steps:
            self._source = source
        else:
            source.close()  # ends its worker processes
        x, y = (torch.cat(t) if len(t) > 1 else t[0] for t in zip(*batches, strict=True))
        y = self._model.loss.target(y, self._model.dtype).to(self._model.device)
        weighs = self._rows.weight_GN is not None
        weight_GB = self._weights(torch.cat(self._index(first, len(batches))[0])) if weighs else None
        own = self._places([len(b) for b, _y in batches])
        return self._plan.chunk(first, as_kernel_input(x, self._model), y, own, weight_GN=weight_GB)

    def _visits(self, first: int) -> Iterator[tuple[int, Tensor]]:
        """(epoch, rows) of every step from ``first`` on; without rows if a DataLoader makes the batches."""
        nothing = torch.arange(0)
        for step in range(first, self._plan.steps):
            rows = nothing if self._plan.batches is not None else self._index(step, 1)[0][0]
            yield self._plan.count.place(step)[0], rows


def batch_source(rows: KernelRows, plan: StepPlan, model: Model) -> BatchSource:
    if isinstance(rows.x, Tensor):
        return MemoryBatches(rows, plan, model.device)
    return (MappedBatches if isinstance(rows.x, MappedRows) else StreamedBatches)(rows, plan, model)


def as_kernel_input(x: Tensor, model: Model) -> Tensor:
    """Rows in the network's shape, dtype and device, aligned to 64 bytes."""
    shape = (x.shape[1:].numel(),) if model.item_shape is None else model.item_shape
    return aligned(x.reshape(len(x), *shape), model.dtype, model.device)


def aligned(t: Tensor, dtype: torch.dtype | None, device: torch.device) -> Tensor:
    """A contiguous tensor aligned to 64 bytes, like torch's own memory: the bits of results depend on it."""
    t = t.to(device=device, dtype=dtype or t.dtype).contiguous()
    return t if t.data_ptr() % 64 == 0 else t.clone()
