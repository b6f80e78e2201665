"""The order of the rows in an epoch, and its batches taken out of one contiguous tensor."""

from collections.abc import Iterator
from typing import Literal

import torch

from treino.data.dataset import Rows
from treino.data.seeding import generator

Shuffle = Literal["each", "once", "off"]


def order(n: int, data_seed: int, epoch: int = 0, shuffle: Shuffle = "each") -> torch.Tensor:
    """``[n]`` int64: the row numbers in the order in which an epoch visits them.

    shuffle: ``each`` draws a new order for every epoch, ``once`` keeps that of epoch 0 for all of them,
    ``off`` keeps the rows' own order.
    """
    if shuffle == "off":
        return torch.arange(n)
    return torch.randperm(n, generator=generator(data_seed, "order", epoch if shuffle == "each" else 0))


def batches(
    rows: Rows, batch_size: int, order_N: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(x ``[B, D]``, y ``[B]`` or ``[B, 1]``) in the given order; the last batch may be short.

    One ``index_select`` per batch and tensor: no row is touched by Python.
    """
    if order_N is None:
        order_N = torch.arange(len(rows))
    for index_B in order_N.split(batch_size):
        yield rows.x.index_select(0, index_B), rows.y.index_select(0, index_B)
