"""Prepare tables larger than memory: store them in an Arrow file, fit by column, write inputs by row.

They are fitted as tables in memory are, so that the results have the same bits.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from treino.base import files
from treino.base.errors import TreinoError
from treino.base.words import _, numeral
from treino.data.mapped_rows import MappedRows
from treino.data.preparation.column_cells import EncodingGaps
from treino.data.preparation.fit import prepared_blocks, scaled_by_column
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.target_means import TargetFolds
from treino.data.readers.columnar import ColumnTypes, RowSpill
from treino.data.rows import say
from treino.data.splits import PARTS
from treino.data.table import Column, Table

# ---- a table in an Arrow file


@dataclass(eq=False)
class TableFile:
    """A table in a file. row_K: the selected rows; None: all. last: the column read last, kept as a cache."""

    types: ColumnTypes
    spilled: RowSpill
    row_K: NDArray[np.int64] | None = None
    last: tuple[int, Column] | None = None
    _subset: "tuple[NDArray[np.int64], TableFile] | None" = None

    def __len__(self) -> int:
        return self.types.rows if self.row_K is None else len(self.row_K)

    def column(self, j: int) -> Column:
        if self.last is None or self.last[0] != j:
            self.last = None
            column = self.types.column(j, self.spilled.column(j))
            self.spilled.forget()
            self.last = j, column if self.row_K is None else column.take(self.row_K)
        return self.last[1]

    def take(self, row_K: NDArray[np.int64]) -> "TableFile":
        """The table with the given rows only, in this order. Consecutive calls with the same ``row_K`` object
        return the same TableFile, so that all columns share it."""
        if self._subset is None or self._subset[0] is not row_K:
            left_K = row_K if self.row_K is None else self.row_K[row_K]
            self._subset = row_K, TableFile(self.types, self.spilled, left_K)
        return self._subset[1]

    def blocks(self, columns: Sequence[int]) -> Iterator[tuple[int, tuple[Column, ...]]]:
        """Yields (number of the block's first selected row, these columns) for every block of rows."""
        self.last = None
        at = start = 0
        for batch in self.spilled:
            block = tuple(self.types.column(j, pa.chunked_array([batch.column(j)])) for j in columns)
            if self.row_K is None:
                left = batch.num_rows
            else:
                until = int(np.searchsorted(self.row_K, start + batch.num_rows))
                block = tuple(column.take(self.row_K[at:until] - start) for column in block)
                left = until - at
            if left:
                yield at, block
            at, start = at + left, start + batch.num_rows


def _stored(name: str) -> Any:
    """A property of a StoredColumn that is read from its file."""
    return property(lambda self: getattr(self.source.column(self.place), name))


class StoredColumn(Column):
    """A column of a TableFile: only its type is in memory; its cells are read when they are used."""

    source: TableFile
    place: int

    def __init__(self, source: TableFile, place: int, like: Column) -> None:
        for name in ("name", "boolean", "categories", "ordered", "clock", "writing"):
            object.__setattr__(self, name, getattr(like, name))
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "place", place)

    def __len__(self) -> int:
        return len(self.source)

    def take(self, row_K: NDArray[np.int64]) -> Column:
        return StoredColumn(self.source.take(row_K), self.place, self)

    numbers = _stored("numbers")
    words = _stored("words")
    seconds = _stored("seconds")
    odd_N = _stored("odd_N")
    missing_N = _stored("missing_N")


def stored_columns(types: ColumnTypes, spilled: RowSpill) -> tuple[Column, ...]:
    """The StoredColumns of a table whose rows are in a file."""
    first = next(iter(spilled))
    like = types.columns(pa.Table.from_batches([first]))
    source = TableFile(types, spilled)
    return tuple(StoredColumn(source, j, column) for j, column in enumerate(like))


# ---- preparation of tables larger than memory

ROW_BYTES = 96  # memory per row, independent of the columns: row number, split, class and a cell
NAMES = {number: name for name, number in PARTS.items()}


def check_room(rows: int, limit: int) -> None:
    """Refuse a table that exceeds the memory limit whatever its columns; see ``ROW_BYTES``."""
    if rows * ROW_BYTES > limit:
        raise TreinoError(
            "max_memory_rows",
            _("{rows} rows need {least} of memory whatever is in them, and {limit} is allowed.").format(
                rows=numeral(rows, ","), least=say(rows * ROW_BYTES), limit=say(limit)
            ),
            _("Allow that much: [[max_memory={least}]].").format(least=f"{-(-rows * ROW_BYTES // 10**6)}MB"),
        )


def on_disk(
    tables: Sequence[Table],
    preparation: Preparation,
    parts: Sequence[NDArray[np.int64]],
    train_N: NDArray[np.int64],
    weight_T: NDArray[np.float64] | None,
    folder: Path,
    folds: TargetFolds | None = None,
) -> tuple[Preparation, dict[str, EncodingGaps], dict[int, Any]]:
    """Do what ``fit.in_memory`` does, but with x in files in the folder, a row after the other."""
    preparation, shown = scaled_by_column(tables[0], preparation, train_N, weight_T, folds)
    met = {name: EncodingGaps() for name in preparation.features}
    with files.trouble(folder), ExitStack() as opened:  # closing a file writes, too
        out = {part: opened.enter_context((folder / name_of(part)).open("wb")) for part in NAMES}
        for part_B, x_BD in prepared_blocks(tables, parts, preparation, train_N, shown, met):
            for part, file in out.items():
                file.write(np.ascontiguousarray(x_BD.numpy()[part_B == part]).data)
    part_N, inputs = np.concatenate(parts), preparation.size
    x_of = {part: read_inputs(folder, part, int((part_N == part).sum()), inputs) for part in NAMES}
    return preparation, met, x_of


def name_of(part: int) -> str:
    """The name of the file with the inputs of a split."""
    return f"x-{NAMES[part]}.float32"


def read_inputs(folder: Path, part: int, rows: int, inputs: int) -> Any:
    """x ``[rows, inputs]`` of a split, memory-mapped."""
    if not rows * inputs:
        return torch.empty(rows, inputs)
    return MappedRows(np.memmap(folder / name_of(part), np.float32, "r", shape=(rows, inputs)))
