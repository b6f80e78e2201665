"""Batches of rows that are in memory while they are few, and in an Arrow file once they are many."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from treino.data.memory import Room
from treino.store import files

WRITE_BYTES = 1 << 23  # of batches that are joined to one


@dataclass(eq=False)
class Spilling:
    """What a list of batches is, but that they go to a file when they are more than the room's limit."""

    room: Room
    kept: list[pa.RecordBatch] = field(default_factory=list)
    path: Path = Path()
    _bytes: int = 0
    _writer: Any = None
    _file: Any = None
    _levels: dict[str, dict[Any, int]] = field(default_factory=dict)
    _types: dict[str, pa.DataType] = field(default_factory=dict)

    def append(self, batch: pa.RecordBatch) -> None:
        """Take further rows."""
        self.kept.append(batch)
        self._bytes += max(
            batch.nbytes, 8 * batch.num_rows * batch.num_columns
        )  # as numbers they are float64
        if self._bytes > (WRITE_BYTES if self.spilled else self.room.limit):
            self._write()

    @property
    def spilled(self) -> bool:
        return self._file is not None

    def close(self) -> None:
        """There are no further rows."""
        if self.spilled:
            self._write()
            with files.trouble(self.path):
                self._writer.close()
                self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self.read() if self.spilled else iter(self.kept)

    def read(self, columns: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, or only some columns of them, which are those of the table in its order.

        The file is mapped anew for every batch: what was touched of it leaves this process with the batch.
        """
        included = None if columns is None else sorted(columns)
        options = pa.ipc.IpcReadOptions(included_fields=included)
        i, n = 0, 1
        while i < n:
            with files.trouble(self.path):
                reader = pa.ipc.open_file(pa.memory_map(str(self.path)), options=options)
                batch, n = self._with_levels(reader.get_batch(i)), reader.num_record_batches
            yield batch
            i += 1

    def _write(self) -> None:
        if not self.kept:
            return
        whole = pa.Table.from_batches([self._without_levels(batch) for batch in self.kept])
        self.kept, self._bytes = [], 0
        if not self.spilled:
            descriptor, name = tempfile.mkstemp(".arrow", dir=self.room.folder())
            os.close(descriptor)
            self.path = Path(name)
        with files.trouble(self.path):
            if not self.spilled:
                self._file = pa.OSFile(name, "wb")
                self._writer = pa.ipc.new_file(self._file, whole.schema)
            for batch in whole.combine_chunks().to_batches():
                self._writer.write_batch(batch)
        pa.default_memory_pool().release_unused()

    def _without_levels(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Categories as numbers: an Arrow file holds one list of levels, and each batch may bring its own."""
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
        columns = []
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            if name in self._types:
                kind = self._types[name]
                levels = pa.array(list(self._levels[name]), kind.value_type)
                cells = pa.DictionaryArray.from_arrays(cells, levels, ordered=kind.ordered)
            columns.append(cells)
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
