"""Batches of rows: in memory up to a limit, beyond it in an Arrow file."""

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from treino.data.memory import MemoryLimit
from treino.store import files

WRITE_BYTES = 1 << 22  # of batches that are joined into one


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
        self._bytes += 8 * batch.num_rows * batch.num_columns  # as numbers they are float64
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
        """Iterate over all batches; of a file only one batch is in memory."""
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
        """Release the memory of the mapped file."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def _map(self) -> mmap.mmap:
        with files.trouble(self.path), self.path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        """The batches of the mapped file; only columns that are used are read."""
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._map)))
        return [self._with_levels(reader.get_batch(i)) for i in range(reader.num_record_batches)]

    def _write(self) -> None:
        """Write the batches in memory, some joined at a time, and free each after writing."""
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
        """The columns whose cells may take more memory than a number; computed once for a schema."""
        if self._seen is None or (self._seen[0] is not schema and self._seen[0] != schema):
            columns = (j for j, field in enumerate(schema) if not pa.types.is_primitive(field.type))
            self._seen = schema, tuple(columns)
        return self._seen[1]

    def _without_levels(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace categories by numbers: an Arrow file holds one list of levels, but each batch may have its
        own."""
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
