"""Read columns of sources that store types: Parquet, Arrow, polars, workbooks and JSON."""

import mmap
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from treino.base import files
from treino.base.errors import Refusal
from treino.base.text import composed, shortened
from treino.base.words import _
from treino.data.readers.cell_types import CellStatistics, CellType, stripped, words_of
from treino.data.readers.file_bytes import InputFile, damaged
from treino.data.rows import MemoryLimit
from treino.data.table import (
    FIRST_SECOND,
    LARGEST_WHOLE,
    LAST_SECOND,
    Column,
    RowPlace,
    check_names,
    day_text,
    row_place,
)

TABLE_COLUMNS = Refusal(
    "{what} has no column of numbers, words or dates.", "Give a table with one value to a cell."
)

# ---- typed columns

_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_known(kind: pa.DataType) -> bool:
    """Whether cells of this type can form a column. Lists, structs and bytes can't."""
    if isinstance(kind, pa.BaseExtensionType):
        return is_known(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return is_known(kind.value_type)
    t = pa.types
    tests = (t.is_boolean, t.is_integer, t.is_floating, t.is_decimal, t.is_temporal, t.is_null, is_text)
    return any(test(kind) for test in tests) and not t.is_interval(kind)


def column(name: str, cells: pa.ChunkedArray, levels: tuple[str, ...] = ()) -> Column:
    """The column of cells whose type is known and isn't text. levels: the classes of a categorical column, in
    order."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        if not is_text(kind.value_type):
            return column(name, cells.cast(kind.value_type))
        words = _category_words(cells)
        return Column(name, None, words, categories=levels, ordered=bool(kind.ordered))
    if pa.types.is_boolean(kind):
        text = compute.if_else(cells, "true", "false")
        words = words_of(compute.fill_null(text, ""))
        return Column(name, _floats(cells.cast(pa.uint8())), words, boolean=True)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        second_N = _seconds(cells)
        with np.errstate(invalid="ignore"):
            odd_N = (second_N < FIRST_SECOND) | (second_N > LAST_SECOND)
        if not odd_N.any():
            return Column(name, None, None, seconds=second_N)
        words = np.array([day_text(second) for second in second_N], dtype=object)
        return Column(name, None, words, seconds=np.where(odd_N, np.nan, second_N), odd_N=odd_N)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        whole = cells.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        second_N = _floats(whole) / _UNITS[kind.unit]
        clock = bool(pa.types.is_time(kind))
        return Column(name, seconds=second_N, clock=True) if clock else Column(name, second_N)
    plain_column = Column(name, _floats(cells))
    if plain_column.merges and (pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        return Column(name, plain_column.numbers, words_of(compute.fill_null(cells.cast(pa.string()), "")))
    return plain_column


def _category_words(cells: pa.ChunkedArray) -> NDArray[np.object_]:
    """``[N]``: the words of categories. Each level is read once, however often it is used."""
    chunks = []
    for chunk in cells.chunks:
        levels = words_of(pa.chunked_array([stripped(chunk.dictionary)]))
        index_N = compute.fill_null(chunk.indices.cast(pa.int64()), len(levels))
        chunks.append(np.append(levels, "").astype(object)[index_N.to_numpy(zero_copy_only=False)])
    return np.concatenate(chunks) if chunks else np.empty(0, dtype=object)


@dataclass(frozen=True, eq=False)
class ColumnTypes:
    """The types by which the cells of a table become columns. rows: the number of rows.

    decisions: the type of each text column. levels: the classes of each categorical column. missing: words
    for a missing value.
    """

    names: tuple[str, ...]
    rows: int
    decisions: Mapping[str, CellType]
    levels: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...] = ()

    def columns(self, table: pa.Table) -> tuple[Column, ...]:
        """The columns of the given rows."""
        return tuple(self.column(j, table.column(j)) for j in range(len(self.names)))

    def column(self, j: int, cells: pa.ChunkedArray) -> Column:
        """The j-th column, with these cells only."""
        name, decision = self.names[j], self.decisions.get(self.names[j])
        if decision is not None and is_text(cells.type):
            return decision.column(cells).without(self.missing)
        typed = column(name, cells, self.levels.get(name, ())).without(self.missing)
        return replace(typed, writing=decision.writing) if decision else typed


def _seconds(cells: pa.ChunkedArray) -> NDArray[np.float64]:
    """Seconds since 1970, from days or smaller units. Arrow stores times with a time zone in UTC."""
    kind = cells.type
    if pa.types.is_date32(kind):
        return _floats(cells.cast(pa.int32())) * 86400.0
    if pa.types.is_date64(kind):
        return _floats(cells.cast(pa.int64())) / 1e3
    return _floats(cells.cast(pa.int64())) / _UNITS[kind.unit]


def _floats(cells: pa.ChunkedArray) -> NDArray[np.float64]:
    """``[N]`` float64, NaN for missing cells. Whole numbers beyond 2^53 are rounded."""
    out = np.empty(len(cells))
    row = 0
    for chunk in cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]:
        if pa.types.is_decimal(chunk.type):
            chunk = chunk.cast(pa.float64())
        out[row : row + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        row += len(chunk)
    return out


def exact_wholes(cells: Sequence[Any]) -> pa.Array | None:
    """Return Python numbers as a column that keeps all digits, if all are whole and some are 2^53 or more;
    else None, also if a number has more than 38 digits. A cell that is None is missing."""
    present = [cell for cell in cells if cell is not None]
    if not all(isinstance(cell, int | np.integer) for cell in present):
        return None
    most = max((abs(int(cell)) for cell in present), default=0)
    if not LARGEST_WHOLE <= most < 10**38:
        return None
    return pa.array([None if cell is None else Decimal(int(cell)) for cell in cells], pa.decimal128(38, 0))


# ---- typed tables stored by columns

_ROWS, _LEAST_ROWS = 1 << 16, 1 << 10  # maximum and minimum number of rows of a batch
_SAMPLE, _BATCH_BYTES = 16, 1 << 28  # first rows, by whose size a batch of long texts has fewer rows
_CELLS = 1 << 20  # maximum number of cells of a batch with more than the minimum number of rows


@dataclass(frozen=True)
class ColumnarFile:
    """A file or table with typed columns.

    left_out: columns of unsupported types. source: yields the batches of the named columns, anew at each
    call. form: the format in words, if a note says it. remarks: notes on how a workbook sheet was read.
    place: words the place of a row. blank_note: a note on blank lines between the rows; "" without any.
    """

    file: InputFile | None
    names: tuple[str, ...]
    left_out: tuple[pa.Field, ...]
    source: Callable[[tuple[str, ...]], Iterator[pa.RecordBatch]]
    form: str = ""
    remarks: tuple[str, ...] = ()
    place: RowPlace = row_place
    blank_note: Callable[[], str] = str
    seen: ClassVar[list[CellStatistics]] = []
    typed = True

    def notes(self) -> list[str]:
        notes = [*filter(None, [self.form]), *self.remarks]
        nested = [field.name for field in self.left_out if pa.types.is_nested(field.type)]
        if nested:
            names = shortened(", ".join(nested), 200)
            notes.append(_("left out, for a cell holds more than one value: {names}").format(names=names))
        other = [f"{f.name} ({f.type})" for f in self.left_out if f.name not in nested]
        if other:
            text = _("left out, for cells of these types are no numbers, words or dates: {names}")
            notes.append(text.format(names=shortened(", ".join(other), 200)))
        return notes

    def batches(self, types: Mapping[int, pa.DataType], sign: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows. The arguments have no effect: they are for text files."""
        try:
            for batch in self.source(self.names):
                batch.validate(full=True)
                columns = [_known(batch.column(j)) for j in range(len(self.names))]
                yield pa.RecordBatch.from_arrays(columns, names=list(self.names))
        except MemoryError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            if self.file is None:
                raise
            raise damaged(self.file.path, self.file.content, error) from None


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
        schema.names  # noqa: B018  raises ValueError for names that are not UTF-8
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(file.path, file.content, error) from None
    return _of_schema(schema, f"'{file.path}'", file, lambda names: _batches(file, names))


def open_table(table: pa.Table, what: str, file: InputFile | None = None) -> ColumnarFile:
    """Wrap an Arrow table in memory. file: the workbook that it was read from."""
    return _of_schema(table.schema, what, file, lambda names: iter(table.select(names).to_batches()))


def _of_schema(
    schema: pa.Schema,
    what: str,
    file: InputFile | None,
    source: Callable[[tuple[str, ...]], Iterator[pa.RecordBatch]],
) -> ColumnarFile:
    check_names([composed(name) for name in schema.names], what)
    own = tuple(name for name in schema.names if is_known(schema.field(name).type))
    if not own:
        raise TABLE_COLUMNS(what=what[0].upper() + what[1:])
    left_out = tuple(field for field in schema if field.name not in own)
    batches = lambda _names: (batch.select(own) for batch in source(own))  # noqa: E731
    return ColumnarFile(file, tuple(map(composed, own)), left_out, batches)


def _known(cells: pa.Array) -> pa.Array:
    """The cells in a type that Arrow's functions support; string views, which polars uses, are converted,
    and so are extension types, whose meaning depends on the modules that are imported."""
    if isinstance(cells.type, pa.BaseExtensionType):
        return _known(cells.storage)
    if pa.types.is_run_end_encoded(cells.type):
        return _known(compute.run_end_decode(cells))
    if pa.types.is_dictionary(cells.type) and pa.types.is_string_view(cells.type.value_type):
        words = cells.dictionary.cast(pa.string())
        return pa.DictionaryArray.from_arrays(cells.indices, words, ordered=cells.type.ordered)
    return cells.cast(pa.string()) if pa.types.is_string_view(cells.type) else cells


def _parquet(path: str) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(path, pre_buffer=False)  # a pre-buffer would stay in memory


def _batches(file: InputFile, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    path = str(file.path)
    if file.content == "parquet":
        rows = max(_LEAST_ROWS, min(_ROWS, _CELLS // len(names)))
        few = next(_parquet(path).iter_batches(batch_size=_SAMPLE, columns=list(names)), None)
        if few is not None and few.num_rows:
            rows = max(1, min(rows, _BATCH_BYTES * few.num_rows // max(1, few.nbytes)))
        del few
        yield from _parquet(path).iter_batches(batch_size=rows, columns=list(names))
    elif file.content == "arrow file":
        with pa.ipc.open_file(path) as reader:
            for i in range(reader.num_record_batches):
                yield reader.get_batch(i)
    else:
        with pa.ipc.open_stream(path) as reader:
            yield from reader


# ---- batches of rows

WRITE_BYTES = 1 << 22  # minimum size of the joined batches that are written at a time


@dataclass(eq=False)
class RowSpill:
    """A list of batches that is written to a file once it exceeds the memory limit."""

    room: MemoryLimit
    batches: list[pa.RecordBatch] = field(default_factory=list)
    path: Path = Path()
    _bytes: int = 0
    _seen: tuple[pa.Schema, tuple[int, ...]] | None = None
    _writer: Any = None
    _file: Any = None
    _levels: dict[str, dict[Any, int]] = field(default_factory=dict)
    _types: dict[str, pa.DataType] = field(default_factory=dict)

    def append(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self.batches.append(batch)
        self._bytes += 8 * batch.num_rows * batch.num_columns  # numbers become float64
        self._bytes += sum(batch.column(j).nbytes for j in self._wide(batch.schema))
        if self._bytes > (WRITE_BYTES if self.spilled else self.room.limit):
            self._write()

    @property
    def spilled(self) -> bool:
        return self._file is not None

    def close(self) -> None:
        """Close the list: no rows are added afterwards."""
        if self.spilled:
            self._write()
            with files.trouble(self.path):
                self._writer.close()
                self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Iterate over all batches. If they are in a file, only one batch at a time is in memory."""
        if not self.spilled:
            yield from self.batches
            return
        for batch in self._batches:
            yield batch
            self.forget()

    def column(self, j: int) -> pa.ChunkedArray:
        """The cells of one column in the file; call ``forget`` after use."""
        return pa.chunked_array([batch.column(j) for batch in self._batches])

    def forget(self) -> None:
        """Release the pages of the memory-mapped file."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def _map(self) -> mmap.mmap:
        with files.trouble(self.path), self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        """The batches of the memory-mapped file; only columns that are used are read."""
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._map)))
        return [self._with_levels(reader.get_batch(i)) for i in range(reader.num_record_batches)]

    def _write(self) -> None:
        """Write the batches in memory, joining some at a time, and free them after writing."""
        waiting, self.batches, self._bytes = self.batches[::-1], [], 0
        while waiting:
            group, size = [], 0
            while waiting and size < WRITE_BYTES:
                group.append(self._without_levels(waiting.pop()))
                size += group[-1].nbytes
            joined = pa.Table.from_batches(group).combine_chunks()
            del group
            if not self.spilled:
                descriptor, name = tempfile.mkstemp(".arrow", dir=self.room.folder())
                os.close(descriptor)
                self.path = Path(name)
                with files.trouble(self.path):
                    self._file = pa.OSFile(name, "wb")
                    self._writer = pa.ipc.new_file(self._file, joined.schema)
            with files.trouble(self.path):
                for batch in joined.to_batches():
                    self._writer.write_batch(batch)

    def _wide(self, schema: pa.Schema) -> tuple[int, ...]:
        """The columns whose cells may take more memory than a number; cached for each schema."""
        if self._seen is None or (self._seen[0] is not schema and self._seen[0] != schema):
            columns = (j for j, field in enumerate(schema) if not pa.types.is_primitive(field.type))
            self._seen = schema, tuple(columns)
        return self._seen[1]

    def _without_levels(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace categories by numbers: an Arrow file holds one dictionary per column, but each batch may
        have its own."""
        if not self._wide(batch.schema):
            return batch
        columns = []
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_dictionary(cells.type):
                known = self._levels.setdefault(name, {})
                self._types[name] = cells.type
                place = [known.setdefault(level, len(known)) for level in cells.dictionary.to_pylist()]
                cells = pa.array(place, pa.int32()).take(cells.indices)
            columns.append(cells)
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _with_levels(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not self._types:
            return batch
        columns = []
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            if name in self._types:
                kind = self._types[name]
                levels = pa.array(list(self._levels[name]), kind.value_type)
                cells = pa.DictionaryArray.from_arrays(cells, levels, ordered=kind.ordered)
            columns.append(cells)
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
