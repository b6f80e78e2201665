"""The protocol of rows on disk: what ``Rows.x`` may be in place of a tensor."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]
PART_BYTES = 1 << 24  # of a part of rows that is looked at by itself
PART_ROWS = 4096  # networks are evaluated by so many rows, and the bits of a product may depend on it


@runtime_checkable
class OutOfCoreRows(Protocol):
    """Rows in a file, in a Dataset or in a DataLoader: only the rows that are used are read.

    shape: ``[N, *item]``. reproducible: the same rows are read every time, as far as anyone can see;
    why: what is to be said where they are not.
    """

    shape: torch.Size
    dtype: torch.dtype

    def __len__(self) -> int: ...

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        """All rows once, (x ``[B, *item]``, y ``[B, ...]``), at most so many at a time."""
        ...

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        """The rows in this order, so many at a time; a stream's in its own."""
        ...

    def split(self, rows: int) -> Iterator[Tensor]:
        """The same without the targets, as a tensor's parts."""
        ...

    def two(self, y: Tensor) -> Batch:
        """Copies of two rows: those with the largest and the smallest number."""
        ...


def parts(x: Any, y: Tensor, rows: int | None = None) -> Iterator[Batch]:
    """(x, y) as a whole where they are in memory, else a part at a time; rows: at most so many in one.

    By default parts are small, and multiples of ``PART_ROWS`` where rows are.
    """
    if isinstance(x, Tensor):
        if rows is None:
            yield x, y
        else:
            yield from zip(x.split(rows), y.split(rows), strict=True)
        return
    yield from x.parts(y, part_rows(x) if rows is None else rows)


def part_rows(x: Any) -> int:
    """How many rows to look at together."""
    fit: int = max(1, PART_BYTES // max(1, x.shape[1:].numel() * x.dtype.itemsize))
    return fit // PART_ROWS * PART_ROWS if fit >= PART_ROWS else max(fit, min(PART_ROWS, 4 * fit))
