"""The order of rows in an epoch: ``shuffle`` each, once, off or in blocks."""

from typing import Literal

import torch

from treino.data.generators import generator

Shuffle = Literal["each", "once", "off", "blocks"]
BLOCK_ROWS = 1024  # neighbours that "blocks" leaves together
WINDOW_ROWS = 64 * BLOCK_ROWS  # rows that it shuffles among each other


def order(n: int, data_seed: int, epoch: int = 0, shuffle: Shuffle = "each") -> torch.Tensor:
    """``[n]`` int64: the row numbers in the order in which an epoch visits them.

    shuffle: ``each`` draws a new order for every epoch, ``once`` keeps that of epoch 0 for all of them,
    ``off`` keeps the rows' own order. ``blocks`` is for rows that a disk reads: blocks of 1024 neighbours
    are drawn in a new order for every epoch, and 64 of them at a time shuffled row by row.
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
