"""Read table files. Compression, encoding, dialect and column types are detected or set by the user.

Reader modules are imported when a file is read, because importing pyarrow is slow.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from treino.data.readers.reader_options import ReaderOptions

if TYPE_CHECKING:
    from treino.data.rows import MemoryLimit
    from treino.data.table import Table

__all__ = ["ReaderOptions", "read_file"]


def read_file(
    path: str | Path,
    reading: ReaderOptions | None = None,
    least_columns: int = 2,
    room: "MemoryLimit | None" = None,
) -> "Table":
    """Read the table in a file, or in all files that match a pattern such as ``data/*.csv``, into memory.

    Reads CSV with any delimiter, Parquet, Arrow, JSON lines and workbooks; text may be compressed by gzip,
    zstd or zip. least_columns: 1 if a single feature is enough. room: the memory limit for the rows; rows
    that exceed it go to a file, and each column is read when it is used. Raises TreinoError naming file, line
    and value.
    """
    from treino.data.readers import table_files

    return table_files.read_table(str(path), reading or ReaderOptions(), least_columns, room)[0]
