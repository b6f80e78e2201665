"""Rows of a split, and batches from one contiguous tensor."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from treino.data.row_order import order

_GATHER_BYTES = 1 << 18


@dataclass(frozen=True, eq=False)
class Rows:
    """The prepared rows of one split, on which a kernel trains or is evaluated.

    x: ``[N, D]`` float32, contiguous; images are flattened (``Data.item_shape`` has their shape).
    y: ``[N]`` int64 class numbers, or ``[N, 1]`` float32 standardised target values.
    index: ``[N]`` int64, the row number of each in the source (0 is the first row of data).
    """

    x: torch.Tensor
    y: torch.Tensor
    index: torch.Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return iter(zip(self.x, self.y, strict=True))

    def __getitem__(self, row: int | slice | torch.Tensor) -> Any:
        """One row as (x ``[D]``, y), as of a ``torch.utils.data.Dataset``; several rows as Rows."""
        if isinstance(row, (slice, torch.Tensor)):
            return Rows(self.x[row], self.y[row], self.index[row])
        return self.x[row], self.y[row]

    def batches(
        self, batch_size: int = 32, *, shuffle: bool = False, seed: int = 0, epoch: int = 0
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yields (x ``[B, D]``, y) until all rows are used; the last batch may be shorter.

        shuffle: use the order of a training with this ``data_seed`` in that epoch.
        """
        return batches(self, batch_size, order(len(self), seed, epoch, "each" if shuffle else "off"))


def batches(
    rows: Rows, batch_size: int, order_N: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields (x ``[B, D]``, y ``[B]`` or ``[B, 1]``) in the given order; the last batch may be shorter.

    Rows are gathered by ``index_select`` for as many batches as fit into the processor's cache; batches are
    views of the gathered tensor, so that no Python code runs per row.
    """
    if order_N is None:
        order_N = torch.arange(len(rows))
    source: Any = rows.x
    if not isinstance(source, torch.Tensor):
        yield from source.in_batches(rows.y, order_N, batch_size)
        return
    row_bytes = max(1, rows.x.element_size() * rows.x.shape[1])
    at_once = max(1, _GATHER_BYTES // row_bytes // batch_size) * batch_size
    for index in order_N.split(at_once):
        x, y = rows.x.index_select(0, index), rows.y.index_select(0, index)
        yield from zip(x.split(batch_size), y.split(batch_size), strict=True)
