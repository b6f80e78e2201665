"""Rows on disk: what ``Rows.x`` may be in place of a tensor, and how it is looked at a part at a time.

In a file, in a Dataset or in a DataLoader, of which only the rows that are used are read. They have a shape
``[N, *item]``, a dtype and a length; ``parts(y, rows)``: all rows once, (x ``[B, *item]``, y ``[B, ...]``),
at most so many at a time; ``in_batches(y, order_N, batch_size)``: the rows in this order, so many at a time,
a stream's in its own; ``split(rows)``: parts without the targets; ``two(y)``: copies of two rows, those with
the largest and the smallest number.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

Batch = tuple[Tensor, Tensor]
PART_BYTES = 1 << 24  # of a part of rows that is looked at by itself
PART_ROWS = 4096  # networks are evaluated by so many rows, and the bits of a product may depend on it


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
