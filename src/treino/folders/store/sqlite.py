"""SQLite connections and transactions, and their errors as ``TreinoError``."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from treino.base import files
from treino.base.errors import Refusal
from treino.base.files import damaged, problem
from treino.base.words import _

DATABASE_BUSY = Refusal(
    "{path} is locked by another program.",
    "Close the program that has it open, and repeat the command.",
    status=1,
    rule="run_busy",
)

# ---- SQLite connections and transactions, and their errors as ``TreinoError``

PATIENCE = 10.0  # seconds to wait for another process's transaction
BESIDE = LOG, INDEX, JOURNAL = "-wal", "-shm", "-journal"  # endings of SQLite's own files beside a database

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")

Row = tuple[Any, ...]
Answer = TypeVar("Answer")

_SYSTEM = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.ENOENT,
    sqlite3.SQLITE_IOERR: errno.EIO,
}


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in autocommit mode. mode: "ro" or "rw". Links, which SQLite follows, are refused."""
    beside(path)
    _refuse_other_journals(path)
    # a name may contain bytes that are not UTF-8
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)


def beside(path: Path) -> dict[Path, int]:
    """The existing files that SQLite opens for `path`, with their numbers of hard links.

    Errors: the errors of `files.inside` if one of these files is a link or not a regular file.
    """
    links = {}
    for ending in ("", *BESIDE):
        each = files.inside(path.parent, path.name + ending)
        with suppress(FileNotFoundError):
            links[each] = os.lstat(each).st_nlink
    return links


def shared(path: Path) -> bool:
    """Whether a file that SQLite opens for `path` has other hard links, through which writes would show."""
    return any(names > 1 for names in beside(path).values())


def part(path: Path) -> None:
    """Replace files that have other hard links by copies before writing; for the holder of the run's lock."""
    for each in beside(path) if shared(path) else ():
        if each.name.endswith(INDEX):
            files.remove(each)  # SQLite recreates it from the log
        else:
            files.write_atomically(each, files.read_bytes(each))


def _refuse_other_journals(path: Path) -> None:
    """Refuse a rollback journal that names another file, which SQLite would read and delete.

    Such journals are for transactions over several databases
    (https://sqlite.org/fileformat2.html#the_rollback_journal); a run has only one.
    """
    journal = path.with_name(path.name + JOURNAL)
    with suppress(FileNotFoundError), journal.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - len(_JOURNAL_MAGIC)))
        if file.read() == _JOURNAL_MAGIC:
            raise damaged(journal, _("it is of several databases, and a run has one"))


def objects(connection: sqlite3.Connection) -> frozenset[Row]:
    """The tables, indices, views and triggers: the kind, name and SQL of each."""
    return frozenset(connection.execute("SELECT type, name, sql FROM sqlite_schema"))


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise TreinoError if the file's structure is damaged, including indices."""
    ((verdict,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise damaged(path, str(verdict))


def out_of_log(connection: sqlite3.Connection) -> None:
    """Copy the write-ahead log into the file, as far as readers allow.

    From a damaged frame on, SQLite silently ignores the log. What a checkpoint relies on is compared with its
    mark; a resume trains later steps again.
    """
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def content(connection: sqlite3.Connection, *, log: bool = False) -> bytes:
    """The whole content as one SQLite file. log: whether the file is in write-ahead-log mode."""
    return _as_file(connection.serialize(), log)


def in_memory(data: bytes) -> sqlite3.Connection:
    """A connection in autocommit mode to an in-memory copy of a file, without its log."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.deserialize(_as_file(data, log=False))
    return connection


def _as_file(data: bytes, log: bool) -> bytes:
    return data[:18] + (b"\2\2" if log else b"\1\1") + data[20:]  # https://sqlite.org/fileformat2.html#ffvnum


def has_log(path: Path) -> bool:
    """Whether the file is in write-ahead-log mode, in which even readers create files beside it."""
    with files.trouble(path), path.open("rb") as file:
        return file.read(20)[18:19] == b"\2"  # https://sqlite.org/fileformat2.html#ffvnum


def of_file(path: Path, ask: Callable[[sqlite3.Connection], Answer], *, copied: bool = False) -> Answer:
    """Return the result of `ask` on a file that another process may be writing, also on a read-only disk.

    copied: ask a copy of file and log, for a file beside which nothing may be created.
    """
    try:
        if not copied and not shared(path):
            with closing(connect(path, "ro")) as connection:
                return ask(connection)
    except sqlite3.OperationalError as error:
        if primary(error) not in _SYSTEM:
            raise
        os.stat(path)  # raises if the file is missing
    # a write-ahead log needs an index file, which can't be created here (also on a full disk) or has other
    # hard links
    with tempfile.TemporaryDirectory(prefix="treino-") as folder:
        while True:
            logs = _logs(path)
            (copy := Path(folder) / path.name).write_bytes(files.content(path))
            if _logs(path) == logs:  # else a process wrote meanwhile, and file and log may not match
                break
        for name, data in logs.items():
            (Path(folder) / name).write_bytes(data)
        with closing(connect(copy, "rw")) as connection:
            return ask(connection)


def _logs(path: Path) -> dict[str, bytes]:
    logs = {}
    for ending in (LOG, JOURNAL):
        with suppress(FileNotFoundError):
            logs[path.name + ending] = files.content(path.with_name(path.name + ending))
    return logs


def primary(error: sqlite3.Error) -> int:
    """The primary result code (https://sqlite.org/rescode.html)."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _system_error(path: Path, code: int) -> int:
    """The system's error number for a primary result code. SQLite doesn't tell why it could not open or
    write a file: a full disk, a quota or a limit of size are found by a temporary file of the same size."""
    with suppress(FileNotFoundError):
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
            size = max(os.stat(each).st_size for each in (path, *beside(path)))
            try:
                with path.open("rb"), tempfile.TemporaryFile(dir=path.parent) as file:
                    os.lseek(file.fileno(), size, os.SEEK_SET)
                    files.write_all(file.fileno(), bytes(1 << 16))
            except OSError as error:
                return error.errno or errno.EIO
    return _SYSTEM[code]


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Convert errors of SQLite and the system to a TreinoError that names the file and says what to do."""
    try:
        with files.trouble(path):
            yield
    except sqlite3.Error as error:
        code = primary(error)
        if code in _SYSTEM:
            raise problem(path, _system_error(path, code), str(error)) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
            raise DATABASE_BUSY(path=path) from error
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise  # a programming error
        raise damaged(path, str(error)) from error
    except UnicodeDecodeError as error:  # in place of an error that quotes a name
        raise damaged(path, _("it holds bytes that are no text")) from error
