"""Hold the rows of a split, order them in epochs, and cut them into batches."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.words import joined, numeral
from treino.settings.setting_types import SIZE

MAX_MEMORY_FORM = Refusal("'{size}' is no amount of memory.", "Write 2GB or 500MB.")

# ---- random number generators


def generator(seed: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """A CPU generator that depends on its three arguments alone.

    Its seed is the first 63 bits of SHA-256("seed/purpose/epoch"), so that neighbouring seeds and epochs give
    independent streams, and draws for one purpose never affect another purpose.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)


# ---- the order of rows in an epoch

Shuffle = Literal["each", "once", "off", "blocks"]
BLOCK_ROWS = 1024  # consecutive rows in a block of "blocks"
WINDOW_ROWS = 64 * BLOCK_ROWS  # rows that "blocks" shuffles together


def order(n: int, data_seed: int, epoch: int = 0, shuffle: Shuffle = "each") -> torch.Tensor:
    """``[n]`` int64: the row numbers in the order in which an epoch visits them.

    shuffle: ``each`` draws a new order for every epoch; ``once`` uses the order of epoch 0 for all epochs;
    ``off`` keeps the source's order. ``blocks`` is for rows on disk: every epoch draws a new order of blocks
    of 1024 consecutive rows, and shuffles the rows of 64 blocks at a time.
    """
    if shuffle == "off":
        return torch.arange(n)
    if shuffle == "blocks":
        chance = generator(data_seed, "order", epoch)
        block = torch.randperm(-(-n // BLOCK_ROWS), generator=chance)
        index_N = (block[:, None] * BLOCK_ROWS + torch.arange(BLOCK_ROWS)).flatten()
        index_N = index_N[index_N < n]
        for window in index_N.split(WINDOW_ROWS):
            window.copy_(window[torch.randperm(len(window), generator=chance)])
        return index_N
    return torch.randperm(n, generator=generator(data_seed, "order", epoch if shuffle == "each" else 0))


# ---- rows of a split, and batches

IGNORED = -100  # torch's default ignore_index: its losses leave out what has this class
_GATHER_BYTES = 1 << 18


@dataclass(frozen=True, eq=False)
class Rows:
    """The prepared rows of one split, for training or evaluation.

    x: ``[N, D]`` float32, contiguous; images are flattened (``Data.item_shape`` has their shape).
    y: ``[N]`` int64 class codes, or ``[N, 1]`` float32 standardised target values; of several targets, or of
    positions (``Preparation.target_shape``), ``[N, K]``.
    index: ``[N]`` int64, the row numbers in the source (0 is the first row of data).
    weight: ``[N]`` float32, above 0: how much each row counts; None: all alike.
    group: ``[N]`` int64: of held-back rows, equal for those that a split never parts; None: all apart.
    """

    x: torch.Tensor
    y: torch.Tensor
    index: torch.Tensor
    weight: torch.Tensor | None = None
    group: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return iter(zip(self.x, self.y, strict=True))

    def __getitem__(self, row: int | slice | torch.Tensor) -> Any:
        """Return one row as (x ``[D]``, y), as a ``torch.utils.data.Dataset`` does; several rows as Rows."""
        if isinstance(row, (slice, torch.Tensor)):
            weight = None if self.weight is None else self.weight[row]
            group = None if self.group is None else self.group[row]
            return Rows(self.x[row], self.y[row], self.index[row], weight, group)
        return self.x[row], self.y[row]

    def batches(
        self, batch_size: int = 32, *, shuffle: bool = False, seed: int = 0, epoch: int = 0
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yields (x ``[B, D]``, y) until all rows are used; the last batch may be shorter.

        shuffle: use the row order of a training with data_seed ``seed`` in ``epoch``.
        """
        return batches(self, batch_size, order(len(self), seed, epoch, "each" if shuffle else "off"))


def batches(
    rows: Rows, batch_size: int, order_N: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields (x ``[B, D]``, y ``[B]`` or ``[B, 1]``) in the given order; the last batch may be shorter.

    ``index_select`` gathers the rows of as many batches as fit in the CPU cache; batches are views of the
    gathered tensor, so that no Python code runs per row.
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


# ---- the memory limit for rows

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
UNITS |= {"KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}


@dataclass(frozen=True)
class MemoryLimit:
    """The memory limit for rows, in bytes. folder: a function that creates the folder for rows beyond the
    limit and returns it."""

    limit: int
    folder: Callable[[], Path]


def bytes_of(size: Any) -> int:
    """A size such as 2000000000, ``2GB`` (2 * 10^9) or ``2GiB`` (2 * 2^30) in bytes. Raises TreinoError if
    the size is malformed or not above 0."""
    match = SIZE.fullmatch(str(size).strip())
    value = 0 if match is None else int(float(match[1]) * UNITS[(match[2] or "").upper()])
    if isinstance(size, bool) or value <= 0:
        raise MAX_MEMORY_FORM(size=size)
    return value


def say(size: float) -> str:
    """A number of bytes as text, such as 2 GB."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return joined([numeral(size, ".0f"), unit], " ")
        size /= 1000
    return joined([numeral(size, ".1f"), "GB"], " ")


HELD_ROWS = 2000  # rows in the sample of a split that is not in memory


def is_stream(rows: Rows) -> bool:
    """Whether the rows come in an order of their own, from a DataLoader or an IterableDataset."""
    return hasattr(rows.x, "sample")


def with_groups(rows: Rows, unit_N: NDArray[np.int64]) -> Rows:
    """The held-back rows with their groups, unless each is alone. unit_N: equal for rows never parted."""
    return rows if len(np.unique(unit_N)) == len(unit_N) else replace(rows, group=torch.from_numpy(unit_N))


def sampled_rows(rows: Rows, seed: int) -> Rows:
    """The rows if they are in memory, else a sample of them."""
    x: Any = rows.x
    if isinstance(x, torch.Tensor):
        return rows
    if is_stream(rows):
        return Rows(x.sample[0], x.sample[1], torch.arange(len(x.sample[0])))
    some = torch.randperm(len(x), generator=generator(seed, "held"))[:HELD_ROWS].sort().values
    of_some = (None if each is None else each[some] for each in (rows.weight, rows.group))
    return Rows(x.index_select(0, some), rows.y[some], rows.index[some], *of_some)
