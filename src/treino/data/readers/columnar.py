"""Typed tables stored by columns: Parquet and Arrow files, and Arrow data from Python."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from treino.data.readers.cell_types import CellStatistics
from treino.data.readers.file_bytes import InputFile, damaged
from treino.data.readers.typed_columns import is_known
from treino.data.table import check_names, shorten
from treino.errors import TreinoError
from treino.words import _

_ROWS, _LEAST_ROWS = 1 << 16, 1 << 10  # of a batch
_CELLS = 1 << 20


@dataclass(frozen=True)
class ColumnarFile:
    """A file or table with typed columns.

    source: yields the batches of the named columns, from the beginning at each call. remarks: notes on how a
    sheet was read; at: the numbers of its rows.
    """

    file: InputFile | None
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    source: Callable[[tuple[str, ...]], Iterator[pa.RecordBatch]]
    seen: list[CellStatistics] = field(default_factory=list)
    remarks: tuple[str, ...] = ()
    at: Sequence[int] = ()
    typed = True

    def place(self, row: int) -> str:
        if self.at:
            return _("row {n} of the sheet").format(n=self.at[row])
        return _("row {n}").format(n=row)

    def notes(self) -> list[str]:
        if not self.left_out:
            return list(self.remarks)
        names = shorten(", ".join(self.left_out), 200)
        return [
            *self.remarks,
            _("left out, for a cell holds more than one value: {names}").format(names=names),
        ]

    def batches(self, types: Mapping[int, pa.DataType], sign: str, whole: bool) -> Iterator[pa.RecordBatch]:
        """The rows. The arguments have no effect: they are for text files."""
        try:
            for batch in self.source(self.names):
                batch.validate(full=True)
                columns = [_known(batch.column(name)) for name in self.names]
                yield pa.RecordBatch.from_arrays(columns, names=list(self.names))
        except (pa.ArrowException, OSError, ValueError) as error:
            if self.file is None:
                raise
            raise damaged(self.file.path, self.file.content, error) from None

    def check(self, batch: pa.RecordBatch, row: int, types: Mapping[int, pa.DataType]) -> None:
        """Does nothing: typed cells need no check."""


def open_columnar(file: InputFile) -> ColumnarFile:
    """Open a Parquet or Arrow file. Raises TreinoError if it is damaged or cut short."""
    path = str(file.path)
    opened: dict[str, Callable[[], Any]] = {
        "parquet": lambda: _parquet(path).schema_arrow,
        "arrow file": lambda: pa.ipc.open_file(path).schema,
        "arrow stream": lambda: pa.ipc.open_stream(path).schema,
    }
    try:
        schema = opened[file.content]()
        schema.names  # noqa: B018  fails for names that are not UTF-8
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file.path, file.content, error) from None
    return _of_schema(schema, f"'{file.path}'", file, lambda names: _batches(file, names))


def open_table(table: pa.Table) -> ColumnarFile:
    """Wrap an Arrow table in memory."""
    return _of_schema(
        table.schema, _("the frame"), None, lambda names: iter(table.select(names).to_batches())
    )


def open_sheet(table: pa.Table, file: InputFile, remarks: tuple[str, ...], at: Sequence[int]) -> ColumnarFile:
    """Wrap a table read from a workbook; see ``ColumnarFile``."""
    opened = _of_schema(
        table.schema, f"'{file.path}'", file, lambda names: iter(table.select(names).to_batches())
    )
    return replace(opened, remarks=remarks, at=at)


def _of_schema(
    schema: pa.Schema,
    what: str,
    file: InputFile | None,
    source: Callable[[tuple[str, ...]], Iterator[pa.RecordBatch]],
) -> ColumnarFile:
    check_names(schema.names, what)
    names = tuple(name for name in schema.names if is_known(schema.field(name).type))
    if not names:
        raise TreinoError(
            "table_columns",
            _("{what} has no column of numbers, words or dates.").format(what=what[0].upper() + what[1:]),
            _("Give a table with one value to a cell."),
        )
    return ColumnarFile(file, names, tuple(name for name in schema.names if name not in names), source)


def _known(cells: pa.Array) -> pa.Array:
    """The cells in a type that Arrow's functions support: they don't support polars' text views yet."""
    if pa.types.is_dictionary(cells.type) and pa.types.is_string_view(cells.type.value_type):
        words = cells.dictionary.cast(pa.string())
        return pa.DictionaryArray.from_arrays(cells.indices, words, ordered=cells.type.ordered)
    return cells.cast(pa.string()) if pa.types.is_string_view(cells.type) else cells


def _parquet(path: str) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(path, pre_buffer=False)  # it would keep what it reads ahead


def _batches(file: InputFile, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    path = str(file.path)
    if file.content == "parquet":
        yield from _parquet(path).iter_batches(
            batch_size=max(_LEAST_ROWS, min(_ROWS, _CELLS // len(names))), columns=list(names)
        )
    elif file.content == "arrow file":
        with pa.ipc.open_file(path) as reader:
            for i in range(reader.num_record_batches):
                yield reader.get_batch(i)
    else:
        with pa.ipc.open_stream(path) as reader:
            yield from reader
