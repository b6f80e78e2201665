"""What a run tells while it is going on: losses, epochs, events and commands, in `run.sqlite`.

One process writes, any number read at the same time and may send commands (write-ahead log,
https://sqlite.org/wal.html). What is written is gathered, and committed in at most one transaction per half
second.
A finished run's file is read as bytes whose SHA-256 was checked, into memory: no lock, no file beside it.
"""

import errno
import functools
import hashlib
import json
import math
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from treino.errors import TreinoError
from treino.store import sqlite
from treino.store.encoding import json_bytes
from treino.store.files import damaged, digest, write_atomically
from treino.words import _

if TYPE_CHECKING:
    import numpy as np

NAME = "run.sqlite"
INTERVAL = 0.5  # seconds between two transactions
_VERSION = 1
_SYNCHRONOUS = "FULL"  # each transaction is on the disk before the next checkpoint builds on it
Statement = tuple[str, sqlite.Row]
_SCHEMA = """
CREATE TABLE losses (segment INTEGER, step INTEGER, count INTEGER, blob BLOB, PRIMARY KEY (segment, step));
CREATE TABLE epochs (segment INTEGER, epoch INTEGER, split TEXT, metric TEXT, value REAL,
                     PRIMARY KEY (segment, epoch, split, metric)) WITHOUT ROWID;
CREATE TABLE events (time REAL, segment INTEGER, step INTEGER, kind TEXT, json TEXT);
CREATE TABLE commands (id INTEGER PRIMARY KEY, time REAL, segment INTEGER, step INTEGER, name TEXT,
                       value TEXT, state TEXT);
"""


_OPTIONAL = (int, type(None))
_COMMAND = (int, (int, float), _OPTIONAL, _OPTIONAL, str, str, str)
_EVENT = ((int, float), int, int, str, str)
_EPOCH = (int, str, str, (int, float, type(None)))
_LOSSES = (int, int, bytes)


@functools.cache
def _objects() -> frozenset[sqlite.Row]:
    """The tables and indices that a run's file has."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        return sqlite.objects(connection)


class EpochValue(NamedTuple):
    """One metric of one split after `epoch` passes over the training rows; NaN where it is undefined."""

    epoch: int
    split: str
    metric: str
    value: float


class Event(NamedTuple):
    """Something that happened after `step` updates; `time` in seconds since 1970 (UTC)."""

    time: float
    segment: int
    step: int
    kind: str
    facts: dict[str, Any]


class Command(NamedTuple):
    """A wish sent to a run. `step`: from which update on (None: as soon as it is read).

    `state`: "new" until the run has read it, then what `mark_command` says.
    """

    id: int
    time: float
    segment: int | None
    step: int | None
    name: str
    value: Any
    state: str


class _Told(NamedTuple):
    """A segment's losses so far: the step after them, how many there are, and a running SHA-256."""

    segment: int
    end: int | None  # None where there are none yet
    number: int
    sha: "hashlib._Hash"


class Database:
    """A run's tables. Make one with `writing`, `reading` or `in_memory`; `add_…` need the first.

    Errors: TreinoError naming the file where the disk is full, the file is damaged or gone, or another
    program keeps it locked. What could not be written stays gathered, and the next `flush` tries again.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection | None, *, writable: bool) -> None:
        self.path = path
        self._connection = connection
        self._writable = writable
        self._gathered: list[Statement] = []
        self._committed = 0.0
        self._identity = os.stat(path) if writable else None
        self._data_version = -1
        self._last_command = 0
        self._told: _Told | None = None  # of the newest segment; None where it is to be read anew
        if connection is not None:
            weakref.finalize(self, connection.close)  # who only reads a run need not close it

    @staticmethod
    def make(path: Path) -> None:
        """Put the tables, empty, at `path`."""
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.executescript(f"{_SCHEMA} PRAGMA user_version = {_VERSION};")
            write_atomically(path, sqlite.content(connection, log=True))

    @classmethod
    def writing(cls, path: Path) -> "Database":
        """Open the database of a run whose lock this process holds."""
        with sqlite.trouble(path):
            sqlite.part(path)
            connection = sqlite.connect(path, "rw")
            try:
                connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS}")
                connection.execute("PRAGMA journal_mode = WAL")
                sqlite.check(connection, path, _objects())
                return cls(path, connection, writable=True)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def reading(cls, path: Path) -> "Database":
        """Read a run that another process may be writing; the file is opened anew for each question."""
        return cls(path, None, writable=False)

    @classmethod
    def in_memory(
        cls, path: Path, content: bytes, migrate: Callable[[sqlite3.Connection], Any]
    ) -> "Database":
        """Read checked bytes, those of a finished run; `migrate` brings an old format up to date."""
        with sqlite.trouble(path):
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            connection.deserialize(content)
            migrate(connection)
            sqlite.check_objects(connection, _objects())
            return cls(path, connection, writable=False)

    # ---- writing

    def add_losses(self, segment: int, first_step: int, losses: "np.ndarray") -> None:
        """Training losses, one per update: [S], or [S, P] for P members; kept as little-endian float32.

        first_step: how many updates of this run were done before the first of them.
        """
        if len(losses):
            blob = losses.astype("<f4").tobytes()
            sql = "INSERT INTO losses VALUES (?, ?, ?, ?)"
            told, end = self._told, int(first_step) + len(losses)
            if told is not None and told.segment == segment and told.end in (None, first_step):
                told.sha.update(blob)
                self._told = told._replace(end=end, number=told.number + len(losses))
            else:
                self._told = None
            self._add(sql, (segment, int(first_step), len(losses), blob))

    def add_epoch(self, segment: int, epoch: int, split: str, metric: str, value: float) -> None:
        """What was measured at the end of `epoch` (counted from 1) on the rows of `split`; NaN is kept."""
        row = (segment, int(epoch), split, metric, None if math.isnan(value) else float(value))
        self._add("INSERT INTO epochs VALUES (?, ?, ?, ?, ?)", row)

    def add_event(self, segment: int, step: int, kind: str, facts: Mapping[str, Any] | None = None) -> None:
        """Something worth remembering that happened after `step` updates."""
        text = json_bytes(facts or {}).decode()
        self._add("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (time.time(), segment, int(step), kind, text))

    def mark_command(
        self, number: int, state: str, step: int | None = None, segment: int | None = None
    ) -> None:
        """Note what became of command `number`, and from which step of which segment on it counted."""
        changes = "state = ?, step = coalesce(?, step), segment = coalesce(?, segment)"
        sql = f"UPDATE commands SET {changes} WHERE id = ?"
        self._add(sql, (state, step, segment, number))

    def flush(self) -> None:
        """Commit all that was gathered; it is on the disk when this returns."""
        if self._gathered:
            self._commit(self._gathered)
            self._gathered = []
            self._committed = time.monotonic()

    def cut(self, segment: int, step: int, epoch: int) -> None:
        """Take back what came after `step` updates and `epoch` whole epochs of `segment`; commands stay.

        Later segments go too. A chunk of losses that reaches over `step` is shortened. TreinoError where
        losses before `step` are not there any more.
        """
        self._told = None
        self.flush()
        ((end,),) = self._rows("SELECT max(step + count) FROM losses WHERE segment = ?", (segment,))
        if end is None and segment == 0:
            end = 0  # a later segment begins with a keyframe's step, and may be empty there
        if end is not None and end < step:
            raise self._missing(end)
        shortened: list[Statement] = []
        over = "SELECT step, count, blob FROM losses WHERE segment = ? AND step < ? AND step + count > ?"
        for first, count, blob in sqlite.typed(self._rows(over, (segment, step, step)), _LOSSES, self.path):
            kept = step - first
            sql = "UPDATE losses SET count = ?, blob = ? WHERE segment = ? AND step = ?"
            shortened.append((sql, (kept, blob[: len(blob) // count * kept], segment, first)))
        self._commit(
            [
                *shortened,
                *(
                    (
                        f"DELETE FROM {table} WHERE segment > ? OR (segment = ? AND {after})",
                        (segment, segment, limit),
                    )
                    for table, after, limit in (
                        ("losses", "step >= ?", step),
                        ("epochs", "epoch > ?", epoch),
                        ("events", "step > ?", step),
                    )
                ),
            ]
        )

    def mark(self) -> dict[str, Any]:
        """The newest segment, how many losses it has, and their SHA-256: what `check` compares with.

        They are read once; from then on each is hashed as it is added, however many there are.
        """
        self.flush()
        if self._told is None:
            segment, sha = max(self.segments(), default=0), hashlib.sha256()
            sql = "SELECT step, count, blob FROM losses WHERE segment = ? ORDER BY step"
            rows = sqlite.typed(self._rows(sql, (segment,)), _LOSSES, self.path)
            for *_where, blob in rows:
                sha.update(blob)
            end = sum(rows[-1][:2]) if rows else None
            self._told = _Told(segment, end, sum(row[1] for row in rows), sha)
        return {
            "segment": self._told.segment,
            "count": self._told.number,
            "sha256": self._told.sha.hexdigest(),
        }

    def check(self, mark: Mapping[str, Any]) -> None:
        """TreinoError where the losses up to a `mark` are not what they were; later ones don't matter."""
        kept = self.losses(mark["segment"])[: mark["count"]]
        if len(kept) < mark["count"]:
            raise self._missing(len(kept))
        if digest(kept.astype("<f4").tobytes()) != mark["sha256"]:
            raise damaged(self.path, _("its losses are not those that the checkpoint was reached with"))

    # ---- commands, from any process

    def add_command(self, name: str, value: Any, step: int | None = None) -> None:
        """Send a command to the process that trains this run; `value` is anything that JSON takes."""
        text = json_bytes(value).decode().strip()
        row = (time.time(), None, step, name, text, "new")
        sql = "INSERT INTO commands (time, segment, step, name, value, state) VALUES (?, ?, ?, ?, ?, ?)"
        if self._writable:
            self._commit([(sql, row)])
            self._data_version = -1
            return
        if self._connection is not None:
            raise TreinoError(
                "run_ended",
                _("{folder} has ended, so it takes no commands.").format(folder=self.path.parent),
                _("Resume it first: treino resume {folder}").format(folder=self.path.parent),
            )
        with (
            sqlite.trouble(self.path),
            closing(sqlite.connect(self.path, "rw")) as connection,
            sqlite.transaction(connection),
        ):
            sqlite.check_objects(connection, _objects())
            connection.execute(sql, row)

    def poll_commands(self) -> list[Command]:
        """The commands that were not polled before, oldest first. Microseconds where there is none."""
        if time.monotonic() - self._committed >= INTERVAL:
            self.flush()
        with sqlite.trouble(self.path):
            version = self._writer().execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return []
        found = [each for each in self.commands() if each.id > self._last_command and each.state == "new"]
        self._data_version = version
        self._last_command = max((each.id for each in found), default=self._last_command)
        return found

    # ---- reading

    def commands(self) -> list[Command]:
        """All commands ever sent, oldest first."""
        sql = "SELECT id, time, segment, step, name, value, state FROM commands ORDER BY id"
        rows = sqlite.typed(self._rows(sql), _COMMAND, self.path)
        return [Command._make((*row[:5], _json(row[5], self.path), row[6])) for row in rows]

    def losses(self, segment: int = 0) -> "np.ndarray":
        """The segment's training losses from its first update on: float32 [S], or [S, P]."""
        import numpy as np

        sql = "SELECT step, count, blob FROM losses WHERE segment = ? ORDER BY step"
        rows = sqlite.typed(self._rows(sql, (segment,)), _LOSSES, self.path)
        if not rows:
            return np.zeros(0, np.float32)
        try:
            chunks = [np.frombuffer(blob, "<f4").reshape(count, -1) for _first, count, blob in rows]
            losses = np.concatenate(chunks).astype(np.float32)
            missing = [a[0] + a[1] for a, b in pairwise(rows) if a[0] + a[1] != b[0]]
        except (ValueError, TypeError) as error:
            raise damaged(self.path, str(error)) from error
        if missing:
            raise self._missing(missing[0])
        return losses[:, 0] if losses.shape[1] == 1 else losses

    def epochs(self, segment: int = 0) -> list[EpochValue]:
        """What was measured at the ends of the segment's epochs."""
        sql = "SELECT epoch, split, metric, value FROM epochs WHERE segment = ? ORDER BY epoch, split, metric"
        rows = sqlite.typed(self._rows(sql, (segment,)), _EPOCH, self.path)
        return [EpochValue._make((*row[:3], math.nan if row[3] is None else row[3])) for row in rows]

    def events(self) -> list[Event]:
        """All events, in the order in which they were added."""
        sql = "SELECT time, segment, step, kind, json FROM events ORDER BY rowid"
        rows = sqlite.typed(self._rows(sql), _EVENT, self.path)
        return [Event._make((*row[:4], _facts(row[4], self.path))) for row in rows]

    def segments(self) -> list[int]:
        """The numbers of the segments that hold losses."""
        sql = "SELECT DISTINCT segment FROM losses ORDER BY segment"
        return [number for (number,) in sqlite.typed(self._rows(sql), (int,), self.path)]

    def to_bytes(self) -> bytes:
        """All of it as one SQLite file without a write-ahead log."""
        with sqlite.trouble(self.path):
            if self._connection is None:
                return sqlite.of_file(self.path, sqlite.content)
            self.flush()
            return sqlite.content(self._connection)

    def close(self) -> None:
        """Commit what was gathered and let go of the file."""
        if self._connection is not None:
            try:
                self.flush()
            finally:
                with sqlite.trouble(self.path):
                    self._connection.close()
                self._connection = None
                self._writable = False

    # ---- inside

    def _writer(self) -> sqlite3.Connection:
        if self._connection is None or not self._writable:
            raise TreinoError(
                "run_not_writing", _("{path} is open for reading only.").format(path=self.path), status=1
            )
        return self._connection

    def _add(self, sql: str, row: sqlite.Row) -> None:
        self._writer()
        self._gathered.append((sql, row))
        if time.monotonic() - self._committed >= INTERVAL:
            self.flush()

    def _commit(self, statements: Iterable[Statement]) -> None:
        connection = self._writer()
        with sqlite.trouble(self.path):
            # SQLite writes on into a file that was deleted or moved away, and nobody would ever see it
            if self._identity is None or not os.path.samestat(self._identity, os.stat(self.path)):
                raise FileNotFoundError(errno.ENOENT, _("another file is in its place"))
            with sqlite.transaction(connection):
                for sql, row in statements:
                    connection.execute(sql, row)

    def _missing(self, step: int) -> TreinoError:
        return damaged(self.path, _("the losses after step {step} are missing").format(step=step))

    def _rows(self, sql: str, values: sqlite.Row = ()) -> list[sqlite.Row]:
        with sqlite.trouble(self.path):
            if self._connection is None:
                ask = functools.partial(sqlite.rows, sql=sql, values=values, known=_objects())
                return sqlite.of_file(self.path, ask)
            self.flush()
            return sqlite.rows(self._connection, sql, values, _objects())


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(
            path, _("it holds text that is not valid JSON ({error})").format(error=error)
        ) from error


def _facts(text: str, path: Path) -> dict[str, Any]:
    found = _json(text, path)
    if not isinstance(found, dict):
        raise damaged(path, _("{value} stands in one of its tables").format(value=repr(text)[:60]))
    return found
