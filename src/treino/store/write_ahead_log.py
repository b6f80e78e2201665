"""SQLite's write-ahead log (https://sqlite.org/fileformat2.html#the_write_ahead_log): damage at its end.

SQLite silently ignores everything after a damaged frame. That is right after a power cut, since unfinished
writes were never confirmed; after a flipped bit it hides rows.
"""

import sqlite3
import struct
from pathlib import Path

from treino.store import files
from treino.store.files import damaged
from treino.store.sqlite import INDEX, LOG
from treino.words import _

_MAGIC = 0x377F0682, 0x377F0683  # for checksums of little-endian and of big-endian words
_HEADER, _FRAME_HEADER = 32, 24
_Sum = tuple[int, int]


def check_log(connection: sqlite3.Connection, path: Path) -> None:
    """Raise TreinoError if frames in the log of a killed process are damaged.

    path: of the database, for messages; ``connection`` may be to a copy of it.
    """
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # makes SQLite read the log
    ((_number, _name, file),) = connection.execute("PRAGMA database_list")
    try:
        log, index = (files.content(Path(file + ending)) for ending in (LOG, INDEX))
    except FileNotFoundError:
        return
    if len(log) >= _HEADER and not _is_whole(log, index):
        raise damaged(
            path.with_name(path.name + LOG),
            _("its last rows are not those that were written"),
            _("Go on from the last checkpoint: treino resume {folder}").format(folder=path.parent),
        )


def _is_whole(log: bytes, index: bytes) -> bool:
    """Whether the frames that SQLite has not read belong to an earlier log, or are intact and uncommitted.

    index: tells how far SQLite has read (https://sqlite.org/walformat.html#the_wal_index_file_format).
    """
    magic, _version, size = struct.unpack_from(">III", log)
    words = ">" if magic == _MAGIC[1] else "<"
    known = struct.unpack_from(">II", log, 24)
    if magic not in _MAGIC or _sum(log[:24], (0, 0), words) != known:
        return False
    (frames,) = struct.unpack_from("=I", index, 16)
    if frames:
        known = struct.unpack_from("=II", index, 24)
    size = _FRAME_HEADER + (65536 if size == 1 else size)
    for start in range(_HEADER + frames * size, len(log) - size + 1, size):
        frame = log[start : start + size]
        same = [frame[8 + i : 12 + i] == log[16 + i : 20 + i] for i in (0, 4)]
        if not any(same):  # an earlier log has two other numbers
            return True
        known = _sum(frame[:8] + frame[_FRAME_HEADER:], known, words)
        if not all(same) or struct.unpack_from(">II", frame, 16) != known:
            return False
    return True


def _sum(data: bytes, start: _Sum, words: str) -> _Sum:
    """https://sqlite.org/fileformat2.html#checksum_algorithm"""
    one, two = start
    for a, b in struct.iter_unpack(f"{words}II", data):
        one = (one + a + two) & 0xFFFFFFFF
        two = (two + b + one) & 0xFFFFFFFF
    return one, two
