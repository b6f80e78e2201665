"""Readers of table files: compression, encoding, dialect and types are detected, or set by the user.

The readers are imported when a file is read: importing pyarrow is slow.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from treino.data.readers.dialect import ReaderOptions

if TYPE_CHECKING:
    from treino.data.readers.table_files import TableReader
    from treino.data.rows import MemoryLimit
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
    least_columns: 1 if a single feature is enough. room: the memory for its rows; further rows go to a file,
    and columns are read when they are used. Raises TreinoError naming file, line and value.
    """
    from treino.data.readers import table_files

    return table_files.open_table(
        str(path), reading or ReaderOptions(), least_columns, keep=True, room=room
    ).table()


def open_blocks(
    path: str | Path, reading: ReaderOptions | None = None, least_columns: int = 2
) -> "TableReader":
    """The table in a file, without its rows in memory: its column types are detected, and ``.blocks()`` reads
    the rows."""
    from treino.data.readers import table_files

    return table_files.open_table(str(path), reading or ReaderOptions(), least_columns, keep=False)
