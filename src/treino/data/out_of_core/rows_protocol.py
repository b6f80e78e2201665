"""The protocol of rows on disk: what ``Rows.x`` may be in place of a tensor."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]
PART_BYTES = 1 << 24  # of a part of rows that is read at a time
PART_ROWS = 4096  # rows per evaluation of a network, on which the bits of a product may depend


@runtime_checkable
class OutOfCoreRows(Protocol):
    """Rows in a file, in a Dataset or in a DataLoader: only the rows that are used are read.

    shape: ``[N, *item]``. reproducible: every reading gives the same rows, as far as can be detected; why: a
    sentence for the user if not.
    """

    shape: torch.Size
    dtype: torch.dtype

    def __len__(self) -> int: ...

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        """All rows once, as (x ``[B, *item]``, y ``[B, ...]``) of at most ``rows`` rows."""
        ...

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        """Batches of the rows in this order; a stream keeps its own order."""
        ...

    def split(self, rows: int) -> Iterator[Tensor]:
        """All rows without targets, in parts of ``rows`` rows, as ``Tensor.split``."""
        ...

    def two(self, y: Tensor) -> Batch:
        """Copies of two rows: the one with the largest number and the one with the smallest."""
        ...


def parts(x: Any, y: Tensor, rows: int | None = None) -> Iterator[Batch]:
    """(x, y) whole if they are in memory, else in parts of at most ``rows`` rows.

    By default parts are small; of small rows they are multiples of ``PART_ROWS``.
    """
    if isinstance(x, Tensor):
        if rows is None:
            yield x, y
        else:
            yield from zip(x.split(rows), y.split(rows), strict=True)
        return
    yield from x.parts(y, part_rows(x) if rows is None else rows)


def part_rows(x: Any) -> int:
    """The number of rows of a part."""
    fit: int = max(1, PART_BYTES // max(1, x.shape[1:].numel() * x.dtype.itemsize))
    return fit // PART_ROWS * PART_ROWS if fit >= PART_ROWS else max(fit, min(PART_ROWS, 4 * fit))
