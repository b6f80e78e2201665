"""Readers of table files: compression, encoding, dialect and types are detected, or set by the user.

What reads is imported when a file is read: pyarrow takes its time.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from treino.data.readers.reader_options import ReaderOptions

if TYPE_CHECKING:
    from treino.data.memory import MemoryLimit
    from treino.data.readers.table_files import TableReader
    from treino.data.table import Table

__all__ = ["ReaderOptions", "open_blocks", "read_file"]


def read_file(
    path: str | Path,
    reading: ReaderOptions | None = None,
    least_columns: int = 2,
    room: "MemoryLimit | None" = None,
) -> "Table":
    """The table in a file, or in several by a pattern such as ``data/*.csv``, in memory.

    CSV with any delimiter, Parquet, Arrow or JSON lines; text may be packed by gzip, zstd or zip.
    least_columns: 1 where a single feature is enough. room: for its rows; where they are more, they go to a
    file, and columns are read when they are looked at. Raises TreinoError naming file, line and value.
    """
    from treino.data.readers import table_files

    return table_files.open_table(
        str(path), reading or ReaderOptions(), least_columns, keep=True, room=room
    ).table()


def open_blocks(
    path: str | Path, reading: ReaderOptions | None = None, least_columns: int = 2
) -> "TableReader":
    """The same without holding the rows: its columns are decided, and ``.blocks()`` goes through the rows."""
    from treino.data.readers import table_files

    return table_files.open_table(str(path), reading or ReaderOptions(), least_columns, keep=False)
