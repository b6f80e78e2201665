"""Hashes of a run's rows, kept in its folder: they tell rows that it was trained on, wherever the data is."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.files import damaged
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.mapped_rows import MappedRows
from treino.data.preparation.preparation import Preparation
from treino.folders.documents.reading import read_tensors
from treino.folders.store import RunFolder

FILE = "row_hashes.safetensors"
Hashes = NDArray[np.uint64]

_BLOCK = 1 << 17  # inputs that are hashed at a time
_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def row_hashes(x_ND: Any, y: Tensor, preparation: Preparation, row_K: Tensor | None = None) -> Hashes:
    """``[K]``: 64 bits for each row, equal for rows of equal inputs and targets.

    x_ND: the rows' inputs, perhaps outside memory. y: the targets of K rows. row_K: which rows these are;
    default: all. Inputs that are encoded otherwise for training rows than for new ones are left out.
    """
    own_D = [k for k in range(preparation.size) if k not in preparation.target_means]
    row_K = torch.arange(len(y)) if row_K is None else row_K
    y_KT = (y if y.dim() > 1 else y[:, None]).double().numpy()
    parts = [np.zeros(0, np.uint64)]
    size = max(1, _BLOCK // max(1, preparation.size))
    for start in range(0, len(y), size):
        x_BD = x_ND[row_K[start : start + size]].flatten(1)[:, own_D].numpy()
        cells = [(x_BD + np.float32(0)).view(np.uint32).astype(np.uint64)]  # -0 becomes 0
        cells.append((y_KT[start : start + size] + 0.0).view(np.uint64))
        parts.append(_mixed(np.concatenate(cells, axis=1)))
    return np.concatenate(parts)


def _mixed(cell_BD: Hashes) -> Hashes:
    """``[B]``: the sum of what splitmix64 (Steele, Lea & Flood 2014) makes of each cell and its place."""
    with np.errstate(over="ignore"):
        place_D: Any = np.arange(1, cell_BD.shape[1] + 1, dtype=np.uint64) * _STEP
        return np.asarray(_stirred(_stirred(cell_BD) + place_D).sum(axis=1, dtype=np.uint64))


def _stirred(value: Hashes) -> Hashes:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return np.asarray(value ^ (value >> np.uint64(31)))


def write_row_hashes(folder: RunFolder, data: Data) -> None:
    """Write the hashes of all rows, in order, by split. Nothing is written of a Dataset whose items are made
    as they are read: they may be slow, or other ones each time."""
    if all(isinstance(rows.x, Tensor | MappedRows) for rows in data.splits.values()):
        found = {split: row_hashes(rows.x, rows.y, data.preparation) for split, rows in data.splits.items()}
        tensors = {split: torch.from_numpy(np.sort(of).view(np.int64)) for split, of in found.items()}
        folder.write_tensors(FILE, tensors, {})


def read_row_hashes(folder: RunFolder, splits: Iterable[str]) -> Hashes | None:
    """The hashes of the rows of these splits; None if there are none in the folder.

    Raises:
        TreinoError: the file is damaged.
    """
    if not folder.has(FILE):
        return None
    tensors, _facts = read_tensors(folder, FILE)
    if any(of.dtype != torch.int64 or of.dim() != 1 for of in tensors.values()):
        raise damaged(folder.path / FILE, _("it holds other things than hashes"))
    some = [tensors[split].numpy().view(np.uint64) for split in splits if split in tensors]
    return np.concatenate([np.zeros(0, np.uint64), *some])
