"""A table in an Arrow file: columns are in memory only while they are used, rows are read block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from treino.data.readers.row_spill import RowSpill
from treino.data.table import Column, Numbers, Table

BLOCK_ROWS = 1 << 14  # per block of a table in memory


class ColumnReader(Protocol):
    """A reader that turns the cells of an open file into columns."""

    @property
    def rows(self) -> int: ...

    def columns(self, table: pa.Table) -> tuple[Column, ...]: ...

    def column(self, j: int, cells: pa.ChunkedArray) -> Column: ...


@dataclass(eq=False)
class TableFile:
    """A table in a file, with the column last read from it. row_K: the selected rows; None for all."""

    opened: ColumnReader
    spilled: RowSpill
    row_K: NDArray[np.int64] | None = None
    last: tuple[int, Column] | None = None
    _subset: "tuple[NDArray[np.int64], TableFile] | None" = None

    def __len__(self) -> int:
        return self.opened.rows if self.row_K is None else len(self.row_K)

    def column(self, j: int) -> Column:
        if self.last is None or self.last[0] != j:
            self.last = None
            column = self.opened.column(j, self.spilled.column(j))
            self.spilled.forget()
            self.last = j, column if self.row_K is None else column.take(self.row_K)
        return self.last[1]

    def take(self, row_K: NDArray[np.int64]) -> "TableFile":
        """The table of some of the rows, in this order; all columns share one object."""
        if self._subset is None or self._subset[0] is not row_K:
            left_K = row_K if self.row_K is None else self.row_K[row_K]
            self._subset = row_K, TableFile(self.opened, self.spilled, left_K)
        return self._subset[1]

    def blocks(self, columns: Sequence[int]) -> Iterator[tuple[int, tuple[Column, ...]]]:
        """Yields (number of the first selected row, these columns) for every block of rows."""
        self.last = None
        at = start = 0
        for batch in self.spilled:
            block = tuple(self.opened.column(j, pa.chunked_array([batch.column(j)])) for j in columns)
            if self.row_K is None:
                left = batch.num_rows
            else:
                until = int(np.searchsorted(self.row_K, start + batch.num_rows))
                block = tuple(column.take(self.row_K[at:until] - start) for column in block)
                left = until - at
            if left:
                yield at, block
            at, start = at + left, start + batch.num_rows


class StoredColumn(Column):
    """A column of a TableFile: its type is in memory, its cells are not."""

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

    @property
    def numbers(self) -> Numbers | None:
        return self.source.column(self.place).numbers

    @property
    def words(self) -> NDArray[np.object_] | None:
        return self.source.column(self.place).words

    @property
    def seconds(self) -> NDArray[np.float64] | None:
        return self.source.column(self.place).seconds

    @property
    def missing_N(self) -> NDArray[np.bool_]:
        return self.source.column(self.place).missing_N


def stored_columns(opened: ColumnReader, spilled: RowSpill) -> tuple[Column, ...]:
    """The columns of a table whose rows are in a file."""
    first = next(iter(spilled))
    like = opened.columns(pa.Table.from_batches([first]))
    source = TableFile(opened, spilled)
    return tuple(StoredColumn(source, j, column) for j, column in enumerate(like))


def blocks(table: Table, names: Sequence[str]) -> Iterator[tuple[int, tuple[Column, ...]]]:
    """(number of the first row, the named columns) of all rows, some thousands at a time."""
    first: Any = table.columns[0]
    if isinstance(first, StoredColumn):
        place = {name: j for j, name in enumerate(table.names)}
        yield from first.source.blocks([place[name] for name in names])
        return
    for start in range(0, table.rows, BLOCK_ROWS):
        row_K = np.arange(start, min(start + BLOCK_ROWS, table.rows))
        yield start, tuple(table.column(name).take(row_K) for name in names)
