"""Preparation of tables larger than memory: fitted column by column, written row by row.

All sums run in the same order as for a table in memory, so both give the same bits.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.memory import say
from treino.data.out_of_core.mapped_rows import MappedRows
from treino.data.out_of_core.table_file import blocks
from treino.data.preparation.encoders import EncodingGaps
from treino.data.preparation.fit import comparable_columns
from treino.data.preparation.preparation import Preparation, fit_table
from treino.data.roles.column_kinds import ColumnRole
from treino.data.split_requests import LEFT_OUT
from treino.data.splits import TEST, TRAIN, VALIDATION, first_equal_columns
from treino.data.table import Table
from treino.errors import TreinoError
from treino.store import files
from treino.words import _, numeral

ROW_BYTES = 96  # of memory for each row, however many columns: its number, part, class and one cell
NAMES = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}


def check_room(rows: int, limit: int) -> None:
    """Refuse a table whose row numbers alone don't fit into memory."""
    if rows * ROW_BYTES > limit:
        raise TreinoError(
            "max_memory_rows",
            _("{rows} rows need {least} of memory whatever is in them, and {limit} is allowed.").format(
                rows=numeral(rows, ","), least=say(rows * ROW_BYTES), limit=say(limit)
            ),
            _("Allow that much: [[max_memory={least}]].").format(least=f"{-(-rows * ROW_BYTES // 10**6)}MB"),
        )


def equal_rows(tables: Sequence[Table], chosen: Mapping[str, ColumnRole]) -> NDArray[np.int64]:
    """``[N]``: for each row of all tables the number of the first row equal to it."""
    n = sum(table.rows for table in tables)
    return first_equal_columns(lambda: comparable_columns(tables, chosen), n, len(chosen))


def scaled(table: Table, preparation: Preparation, train_N: NDArray[np.int64]) -> Preparation:
    """The preparation with mean and scale of its inputs, from the training rows of one column at a time.

    Adds up rows one after the other, as NumPy does for ``[N, D]`` with several columns.
    """
    mean, scale = [0.0] * len(preparation.inputs), [1.0] * len(preparation.inputs)
    for encoder, group in zip(preparation.encoders, preparation.groups, strict=True):
        if encoder.scaled and preparation.normalise:
            raw_NK, _seen = encoder.encode(table.column(encoder.column), table.place)
            for k, place in enumerate(group[: len(encoder.edges)]):
                if k:
                    mean[place], _scale = _fit(raw_NK[:, k][train_N])
            value_K = raw_NK[:, 0][train_N]
            del raw_NK
            if len(mean) == 1:
                (mean[0],), (scale[0],) = fit_table(value_K[:, None], normalise=True)
            else:
                mean[group[0]], scale[group[0]] = _fit(value_K)
    return replace(preparation, mean=tuple(mean), scale=tuple(scale))


def _fit(value_K: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and deviation as ``fit_table`` computes them. Overwrites the values."""
    largest = max(float(value_K.max()), -float(value_K.min())) or 1.0
    value_K /= largest
    mean = _sum(value_K) / len(value_K)
    value_K -= mean
    value_K *= value_K
    return mean * largest, float(np.sqrt(_sum(value_K) / len(value_K))) * largest


def _sum(value_K: NDArray[np.float64]) -> float:
    """The sum, added one after the other; NumPy's ``sum`` adds in pairs."""
    total, piece = 0.0, 1 << 14
    for start in range(0, len(value_K), piece):
        part = value_K[start : start + piece].copy()
        part[0] += total
        total = float(np.cumsum(part)[-1])
    return total


def on_disk(
    tables: Sequence[Table],
    preparation: Preparation,
    parts: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    folder: Path,
) -> tuple[Preparation, dict[str, EncodingGaps], dict[int, Any]]:
    """As ``fit.in_memory``, with x in files of the folder."""
    preparation = scaled(tables[0], preparation, train_N)
    met = _write(tables, parts, preparation, folder)
    counts = np.bincount(np.concatenate(parts) - LEFT_OUT, minlength=len(NAMES) + 1)
    inputs = len(preparation.inputs)
    x_of = {part: read_inputs(folder, part, int(counts[part - LEFT_OUT]), inputs) for part in NAMES}
    return preparation, met, x_of


def _write(
    tables: Sequence[Table], parts: Sequence[NDArray[np.int64]], preparation: Preparation, folder: Path
) -> dict[str, EncodingGaps]:
    """Write x of each part to its file, rows in order. Returns the gaps met in each column."""
    met = {name: EncodingGaps() for name in preparation.features}
    with ExitStack() as opened:
        out = {part: opened.enter_context((folder / name_of(part)).open("wb")) for part in NAMES}
        with files.trouble(folder):
            for table, part_N in zip(tables, parts, strict=True):
                for at, columns in blocks(table, preparation.features):
                    place = _later(table, at)
                    raw_BD, seen = preparation.encode(columns, place)
                    x_BD = preparation.transform(raw_BD).numpy()
                    part_B = part_N[at : at + len(x_BD)]
                    for part, file in out.items():
                        file.write(np.ascontiguousarray(x_BD[part_B == part]).data)
                    met = {name: met[name] + seen[name] for name in met}
    return met


def _later(table: Table, first: int) -> Any:
    return lambda row: table.place(first + row)


def name_of(part: int) -> str:
    """The file of a part's inputs."""
    return f"x-{NAMES[part]}.float32"


def read_inputs(folder: Path, part: int, rows: int, inputs: int) -> Any:
    """x ``[rows, inputs]`` of a part, mapped."""
    if not rows * inputs:
        return torch.empty(rows, inputs)
    return MappedRows(np.memmap(folder / name_of(part), np.float32, "r", shape=(rows, inputs)))
