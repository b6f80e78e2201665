"""Hashes of a run's rows, kept in its folder: they tell rows that it was trained on, wherever the data is."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal, TreinoError
from treino.base.files import damaged
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.mapped_rows import MappedRows
from treino.data.preparation.column_kinds import unit_cells
from treino.data.preparation.new_rows import PreparedRows
from treino.data.preparation.preparation import Preparation
from treino.data.sources import read
from treino.data.splits import EqualRows
from treino.folders.data_source import reading_like
from treino.folders.documents.reading import read_tensors
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.inspection.input_planes import ALL, Split

GROUPS_MISSING = Refusal(
    "The rows lack '{name}', whose groups {run} never parted, and rows of a group are alike.",
    "Give rows with that column.",
)

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


# ---- rows that equal rows of the run


class SeenRows(NamedTuple):
    """Which of the K rows with a known target equal rows of some splits of the run, in inputs and target.

    every: whether these are exactly the rows of the splits, as in the file that was trained on; otherwise
    some may be equal by chance. again: the share of the rows of the splits that equal another one.
    """

    seen_K: torch.Tensor
    every: bool
    again: float


def seen_rows(run: StoredRun, prepared: PreparedRows, *splits: Split) -> SeenRows | None:
    """The rows that equal rows of these splits, by a hash of inputs and target. None: unknown."""
    y, rows_K = prepared.y, prepared.with_target
    if y is None or rows_K is None:
        return None
    splits = ALL if run.others else splits  # the test rows of one fold are training rows of the others
    try:
        known_N = _known_hashes(run, splits)
    except TreinoError:  # the file is gone or changed, or not stored: predictions don't need it
        return None
    if known_N is None:
        return None
    own_K = row_hashes(prepared.x, y, run.preparation, rows_K)
    seen_K = torch.from_numpy(np.isin(own_K, known_N))
    every = np.array_equal(np.sort(own_K[seen_K.numpy()]), np.sort(known_N))
    _known, count = np.unique(known_N, return_counts=True)
    return SeenRows(seen_K, every, float(count[count > 1].sum()) / max(1, len(known_N)))


def _known_hashes(run: StoredRun, splits: Sequence[Split]) -> Hashes | None:
    """The hashes of the run's rows in these splits; None if they aren't known."""
    if (kept := read_row_hashes(run.folder, splits)) is not None:
        return kept
    data = run.data
    if any(len(data.splits[split]) != run.spec.facts.rows[split] for split in splits):
        return None  # only a sample of rows not in memory
    parts = (data.splits[split] for split in splits)
    return np.concatenate([row_hashes(rows.x, rows.y, run.preparation) for rows in parts])


def row_groups(
    run: StoredRun, source: Any, prepared: PreparedRows, row_K: torch.Tensor
) -> torch.Tensor | None:
    """``[K]``: equal for those of these rows that a split of the run would never part; None if none are.
    row_K: of the rows with a target, whether it is one of them.

    Raises:
        TreinoError: the rows lack the column whose groups the run never parted.
    """
    load, at_K = run.spec.data.load, prepared.with_target
    if prepared.y is None or at_K is None:
        return None
    at_K, y_K = at_K[row_K], prepared.y[row_K]
    if load.split_group is not None and run.preparation.kind != "image":
        table = read(source, reading_like(run.spec.data), least_columns=1)
        if load.split_group not in table.by_name:
            raise GROUPS_MISSING(name=load.split_group, run=run.name)
        words = unit_cells(table.column(load.split_group), table)[at_K.numpy()]
        return torch.from_numpy(np.unique(words.astype(str), return_inverse=True)[1].reshape(-1))
    hash_K = row_hashes(prepared.x, torch.zeros(len(at_K)), run.preparation, at_K)
    _hash, first, place_K = np.unique(hash_K, return_index=True, return_inverse=True)
    if len(first) == len(at_K):
        return None
    answer_K = torch.unique(y_K, dim=0, return_inverse=True)[1].numpy()
    columns = prepared.x[at_K].flatten(1).T.numpy() if run.preparation.programs else None
    equal = EqualRows.of(first[place_K.reshape(-1)], answer_K, columns)
    return torch.from_numpy(equal.units(load.duplicates))
