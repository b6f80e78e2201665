"""The order of rows in an epoch: ``shuffle`` each, once, off or in blocks."""

from typing import Literal

import torch

from treino.data.generators import generator

Shuffle = Literal["each", "once", "off", "blocks"]
BLOCK_ROWS = 1024  # neighbours in a block of "blocks"
WINDOW_ROWS = 64 * BLOCK_ROWS  # rows that "blocks" shuffles together


def order(n: int, data_seed: int, epoch: int = 0, shuffle: Shuffle = "each") -> torch.Tensor:
    """``[n]`` int64: the row numbers in the order in which an epoch visits them.

    shuffle: ``each`` draws a new order for every epoch, ``once`` uses that of epoch 0 for all epochs, ``off``
    keeps the rows' own order. ``blocks`` is for rows on disk: every epoch draws a new order of blocks of 1024
    neighbours, and shuffles the rows of 64 blocks at a time.
    """
    if shuffle == "off":
        return torch.arange(n)
    if shuffle == "blocks":
        return _by_blocks(n, generator(data_seed, "order", epoch))
    return torch.randperm(n, generator=generator(data_seed, "order", epoch if shuffle == "each" else 0))


def _by_blocks(n: int, chance: torch.Generator) -> torch.Tensor:
    block = torch.randperm(-(-n // BLOCK_ROWS), generator=chance)
    index_N = (block[:, None] * BLOCK_ROWS + torch.arange(BLOCK_ROWS)).flatten()
    index_N = index_N[index_N < n]
    for window in index_N.split(WINDOW_ROWS):
        window.copy_(window[torch.randperm(len(window), generator=chance)])
    return index_N
