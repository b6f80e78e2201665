"""Rows of a split, and batches taken out of one contiguous tensor."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from treino.data.row_order import order

_GATHER_BYTES = 1 << 18


@dataclass(frozen=True, eq=False)
class Rows:
    """One split, prepared: what a kernel trains or is evaluated on.

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
        """One row as (x ``[D]``, y), as a ``torch.utils.data.Dataset`` gives it; several as Rows."""
        if isinstance(row, (slice, torch.Tensor)):
            return Rows(self.x[row], self.y[row], self.index[row])
        return self.x[row], self.y[row]

    def batches(
        self, batch_size: int = 32, *, shuffle: bool = False, seed: int = 0, epoch: int = 0
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(x ``[B, D]``, y) again and again until all rows came; the last batch may be short.

        shuffle: in the order in which a training with this ``data_seed`` goes through them in that epoch.
        """
        return batches(self, batch_size, order(len(self), seed, epoch, "each" if shuffle else "off"))


def batches(
    rows: Rows, batch_size: int, order_N: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(x ``[B, D]``, y ``[B]`` or ``[B, 1]``) in the given order; the last batch may be short.

    Rows are gathered by ``index_select``, some batches at a time while they fit into the processor's
    cache; batches are views of what was gathered, and no row is touched by Python.
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
