"""``run.sqlite``: losses, metrics per epoch, events, commands and changed settings of a run.

One process writes; any number of processes read at the same time and may send commands (write-ahead log,
https://sqlite.org/wal.html). Records are collected and committed in at most two transactions per second, with
a checksum of each table that is verified on reading (see `tables`). A finished run's file is verified by its
SHA-256 and opened in memory, without a lock or files beside it.
"""

import errno
import hashlib
import json
import math
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from treino.base import lock
from treino.base.encoding import json_bytes, without_sources
from treino.base.errors import Refusal, TreinoError
from treino.base.files import DATABASE, damaged, digest, write_atomically
from treino.base.words import N_, _
from treino.folders.store import manifest, sqlite, tables
from treino.folders.store.change import Change
from treino.folders.store.folder_files import RUN_NOT_WRITING
from treino.folders.store.sqlite import Answer, Row
from treino.folders.store.tables import Statement, insertion

if TYPE_CHECKING:
    import numpy as np

NOT_RUNNING = Refusal("{run} is {status}: no process trains it.", "Resume it first, or train a new run.")


# ---- ``run.sqlite``

NAME = DATABASE
INTERVAL = 0.5  # seconds between two transactions
_SYNCHRONOUS = "FULL"  # each transaction is on disk before the next checkpoint relies on it


class EpochValue(NamedTuple):
    """One metric of one split after `epoch` epochs; NaN if the metric is undefined."""

    epoch: int
    split: str
    metric: str
    value: float


class Event(NamedTuple):
    """An event after `step` updates; `time` in seconds since 1970 (UTC)."""

    time: float
    segment: int
    step: int
    kind: str
    facts: dict[str, Any]


class Command(NamedTuple):
    """A command sent to a run.

    `step`: the update from which the command takes effect (None: when it is read). `state`: "new" until the
    run has read the command, then the state set by `mark_command`. sender: who sent it: "" for a person, or a
    word of `SENDERS`.
    """

    id: int
    time: float
    segment: int | None
    step: int | None
    name: str
    value: Any
    state: str
    sender: str = ""


class _LossDigest(NamedTuple):
    """A digest of a segment's losses so far: the step after the last, their number, a running SHA-256."""

    segment: int
    end: int | None  # None without losses
    number: int
    sha: "hashlib._Hash"


class Database:
    """A run's tables.

    Create an instance with `writing`, `reading` or `in_memory`; only `writing` allows `add_…`. Errors:
    TreinoError naming the file if the disk is full, the file is damaged or missing, or another program keeps
    it locked. The next `flush` retries records that could not be written.
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
        self._loss_digest: _LossDigest | None = None  # newest segment's; None: read it from the table
        if connection is not None:
            weakref.finalize(self, connection.close)  # readers need not call close

    @staticmethod
    def make(path: Path) -> None:
        """Create empty tables at `path`."""
        with closing(sqlite3.connect(":memory:")) as connection:
            tables.make(connection)
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
                sqlite.check(connection, path)
                tables.checked(connection, path)
                return cls(path, connection, writable=True)
            except BaseException:
                connection.close()
                raise

    @classmethod
    def reading(cls, path: Path) -> "Database":
        """Read a run that another process may be writing; the file is opened for each query."""
        return cls(path, None, writable=False)

    @classmethod
    def in_memory(cls, path: Path, content: bytes) -> "Database":
        """Read the verified bytes of a finished run's file."""
        with sqlite.trouble(path):
            return cls(path, sqlite.in_memory(content), writable=False)

    # ---- writing

    def add_losses(self, segment: int, first_step: int, losses: "np.ndarray") -> None:
        """Record training losses, one per update: [S], or [S, P] for P ensemble members.

        They are stored as little-endian float32. first_step: the run's updates before the first loss.
        """
        if len(losses):
            blob = losses.astype("<f4").tobytes()
            loss_digest, end = self._loss_digest, int(first_step) + len(losses)
            if (
                loss_digest is not None
                and loss_digest.segment == segment
                and loss_digest.end in (None, first_step)
            ):
                loss_digest.sha.update(blob)
                self._loss_digest = loss_digest._replace(end=end, number=loss_digest.number + len(losses))
            else:
                self._loss_digest = None
            self._add(insertion("losses", (int(segment), int(first_step), len(losses), blob)))

    def add_epoch(self, segment: int, epoch: int, split: str, metric: str, value: float) -> None:
        """Record a metric of `split` at the end of `epoch` (counted from 1); the value may be NaN."""
        number = None if math.isnan(value) else float(value) + 0.0  # SQLite has no -0.0
        self._add(insertion("epochs", (int(segment), int(epoch), split, metric, number)))

    def add_event(self, segment: int, step: int, kind: str, facts: Mapping[str, Any] | None = None) -> None:
        """Record an event after `step` updates."""
        text = json_bytes(facts or {}).decode()
        self._add(insertion("events", (time.time(), int(segment), int(step), kind, text)))

    def add_change(self, change: Change) -> None:
        """Record changed settings, one row for each."""
        for statement in _insertions(change):
            self._add(statement)

    def begin_segment(self, number: int, changes: Iterable[Change]) -> None:
        """Record the changes with which a segment begins, in place of those of a process that was killed
        before it had made the segment."""
        self.flush()
        rows = [row for change in changes for row in _insertions(change)]
        self._commit([Statement("changes", "DELETE FROM changes WHERE segment >= ?", (number,)), *rows])

    def mark_command(self, number: int, state: str, segment: int | None = None) -> None:
        """Record the new state of command `number`, and the segment in which it was read."""
        sql = "UPDATE commands SET state = ?, segment = coalesce(?, segment) WHERE id = ?"
        self._add(Statement("commands", sql, (state, segment, number)))

    def flush(self) -> None:
        """Commit all collected records to disk."""
        if self._gathered:
            self._commit(self._gathered)
            self._gathered = []
            self._committed = time.monotonic()

    def cut(self, segment: int, step: int, epoch: int) -> None:
        """Remove records after `step` updates and `epoch` whole epochs of `segment`, and all of later
        segments; commands stay, and so do the changes of the segment's settings, which are made again.

        A chunk of losses across `step` is shortened. Raises TreinoError if losses before `step` are missing.
        """
        self._loss_digest = None
        rows = sorted(row for row in self._table("losses") if row[0] == segment)
        end = max((first + count for _segment, first, count, _blob in rows), default=None)
        if end is None and segment == 0:
            end = 0  # a later segment begins at a keyframe, and may have no losses yet
        if end is not None and end < step:
            raise _missing(self.path, end)
        statements: list[Statement] = []
        for _segment, first, count, blob in rows:
            if first < step < first + count:
                rest = step - first
                sql = "UPDATE losses SET count = ?, blob = ? WHERE segment = ? AND step = ?"
                shorter = (rest, blob[: len(blob) // count * rest], segment, first)
                statements.append(Statement("losses", sql, shorter))
        later = (("losses", "step >= ?", step), ("epochs", "epoch > ?", epoch), ("events", "step > ?", step))
        for table, after, limit in later:
            sql = f"DELETE FROM {table} WHERE segment > ? OR (segment = ? AND {after})"
            statements.append(Statement(table, sql, (segment, segment, limit)))
        statements.append(Statement("changes", "DELETE FROM changes WHERE segment > ?", (segment,)))
        self._commit(statements)

    def mark(self) -> dict[str, Any]:
        """Return a mark for `check`: the newest segment, its number of losses, their SHA-256, and the number
        of changes of each table.

        The stored losses are read once; later ones are hashed as they are added.
        """
        self.flush()
        if self._loss_digest is None:
            segment, sha = max(self.segments(), default=0), hashlib.sha256()
            rows = sorted(row for row in self._table("losses") if row[0] == segment)
            for *_where, blob in rows:
                sha.update(blob)
            end = sum(rows[-1][1:3]) if rows else None
            self._loss_digest = _LossDigest(segment, end, sum(row[2] for row in rows), sha)
        with sqlite.trouble(self.path):
            changes = tables.changes(self._writer(), self.path)
        return {
            "segment": self._loss_digest.segment,
            "count": self._loss_digest.number,
            "sha256": self._loss_digest.sha.hexdigest(),
            "changes": changes,
        }

    def check(self, mark: Mapping[str, Any] | None) -> None:
        """Raise TreinoError if a table is damaged or older than `mark`, or if the losses up to the mark
        differ from it. Later rows are ignored. mark: None only checks for damage."""
        contents = self._tables(*tables.COLUMNS)
        if mark is None:
            return
        losses = _losses(contents["losses"][0], mark["segment"], self.path)[: mark["count"]]
        if len(losses) < mark["count"]:
            raise _missing(self.path, len(losses))
        older = any(contents[name][1] < number for name, number in mark["changes"].items())
        if older or digest(losses.astype("<f4").tobytes()) != mark["sha256"]:
            raise damaged(self.path, _("it is not what the checkpoint was reached with"))

    # ---- commands, from any process

    def add_command(
        self, name: str, value: Any, step: int | None = None, *, sender: str = "", state: str = "new"
    ) -> None:
        """Send a command to the process that trains this run; `value` must be serializable as JSON.

        sender: "" for a person, or a word of `SENDERS`. state: "applied" if it is obeyed already.

        Raises TreinoError `not_running` if the run is sealed, or too near its end to read commands.
        """
        text = json_bytes(value).decode().strip()
        row: Row = (time.time(), None, None if step is None else int(step), name, text, state, sender)
        statement = insertion("commands", row)
        if self._writable:
            self._commit([statement])
            self._data_version = -1
            return
        folder = self.path.parent
        with lock.alone(folder):  # prevents sealing meanwhile
            status = N_("ending") if lock.ends(folder / lock.NAME) else manifest.read(folder).status
            if status != "running":
                raise not_running(folder, status)
            with sqlite.trouble(self.path), closing(sqlite.connect(self.path, "rw")) as connection:
                tables.do(connection, self.path, [statement])
                sqlite.out_of_log(connection)

    def refuse_commands(self) -> None:
        """Refuse the unread commands, so that they are not executed after a resume."""
        for command in self.commands():
            if command.state == "new":
                self.mark_command(command.id, "refused")
        self.flush()

    def poll_commands(self) -> list[Command]:
        """Return commands sent since the last poll, oldest first. Takes microseconds if there are none."""
        if time.monotonic() - self._committed >= INTERVAL:
            self.flush()
        with sqlite.trouble(self.path):
            version = self._writer().execute("PRAGMA data_version").fetchone()[0]
        if version == self._data_version:
            return []
        commands = [each for each in self.commands() if each.id > self._last_command and each.state == "new"]
        self._data_version = version
        self._last_command = max((each.id for each in commands), default=self._last_command)
        return commands

    # ---- reading

    def commands(self) -> list[Command]:
        """All commands ever sent, oldest first."""
        rows = sorted(self._table("commands"), key=lambda row: row[0])
        return [Command._make((*row[:5], _json(row[5], self.path), *row[6:])) for row in rows]

    def changes(self) -> list[Change]:
        """All changed settings, in the order in which they were obeyed; those of one act are one change."""
        rows = sorted(self._table("changes"), key=lambda row: row[0])
        made = groupby(rows, key=lambda row: (row[1], row[2], row[5]))
        return [
            Change(segment, step, {row[3]: _json(row[4], self.path) for row in some}, sender)
            for (segment, step, sender), some in made
        ]

    def losses(self, segment: int = 0) -> "np.ndarray":
        """The segment's training losses from its first update on: float32 [S], or [S, P]."""
        return _losses(self._table("losses"), segment, self.path)

    def loss_count(self, segment: int) -> int:
        """The number of steps of the segment with a loss; the losses aren't read."""

        def ask(connection: sqlite3.Connection) -> int:
            tables.check(connection, self.path)
            sql = "SELECT coalesce(sum(count), 0) FROM losses WHERE segment = ?"
            count = connection.execute(sql, (segment,)).fetchone()[0]
            if not isinstance(count, int) or count < 0:
                raise damaged(
                    self.path, _("{value} stands in one of its tables").format(value=repr(count)[:60])
                )
            return count

        return self._asked(ask)

    def epochs(self, segment: int = 0) -> list[EpochValue]:
        """The metrics at the ends of the segment's epochs."""
        return self.epochs_of([segment])[segment]

    def epochs_of(self, segments: Iterable[int]) -> dict[int, list[EpochValue]]:
        """The same of several segments, by their numbers; the table is read once."""
        values = {number: list[EpochValue]() for number in segments}
        for row in sorted(row for row in self._table("epochs") if row[0] in values):
            values[row[0]].append(_epoch_value(row[1:]))
        return values

    def epochs_at(self, segment: int, numbers: Iterable[int]) -> list[EpochValue]:
        """The metrics at the ends of these epochs of the segment; no other row is read, so that the checksum
        isn't verified."""
        chosen = tuple(numbers)
        where = f"segment = ? AND epoch IN ({', '.join('?' * len(chosen))})"
        return self._epochs(where, (segment, *chosen))

    def losses_after(self, segment: int, epoch: int) -> list[EpochValue]:
        """The validation loss at the ends of the segment's epochs after this one; read as ``epochs_at``."""
        return self._epochs(
            "segment = ? AND split = 'validation' AND metric = 'loss' AND epoch > ?", (segment, epoch)
        )

    def last_epoch(self, segment: int, split: str, most: int) -> list[EpochValue]:
        """The metrics of a split at the end of the segment's last epoch that has some, up to the epoch
        ``most``; read as ``epochs_at``."""
        last = "SELECT epoch FROM epochs WHERE segment = ? AND split = ? AND epoch <= ?"
        where = f"segment = ? AND split = ? AND epoch = ({last} ORDER BY epoch DESC LIMIT 1)"
        return self._epochs(where, (segment, split, segment, split, most))

    def _epochs(self, where: str, values: Row) -> list[EpochValue]:
        def ask(connection: sqlite3.Connection) -> list[Row]:
            tables.check(connection, self.path)
            return tables.rows(connection, self.path, "epochs", where, values)

        return [_epoch_value(row[1:]) for row in sorted(self._asked(ask))]

    def events(self) -> list[Event]:
        """All events, in the order in which they were added."""
        rows = sorted(self._table("events"), key=lambda row: row[0])
        return [Event._make((*row[1:5], _json(row[5], self.path, dict))) for row in rows]

    def segments(self) -> list[int]:
        """The numbers of the segments with losses."""
        return sorted({row[0] for row in self._table("losses")})

    def to_bytes(self) -> bytes:
        """The content as a single SQLite file without a write-ahead log."""
        return self._asked(sqlite.content)

    def close(self) -> None:
        """Commit the collected records and close the file."""
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
            raise RUN_NOT_WRITING(path=self.path.parent)
        return self._connection

    def _add(self, statement: Statement) -> None:
        self._writer()
        self._gathered.append(statement)
        if time.monotonic() - self._committed >= INTERVAL:
            self.flush()

    def _commit(self, statements: Iterable[Statement]) -> None:
        connection = self._writer()
        with sqlite.trouble(self.path):
            # SQLite would go on writing into a deleted or moved file, and the records would be lost
            if self._identity is None or not os.path.samestat(self._identity, os.stat(self.path)):
                raise FileNotFoundError(errno.ENOENT, _("another file is in its place"))
            tables.do(connection, self.path, statements)
            if any(each.table == "commands" for each in statements):
                sqlite.out_of_log(connection)

    def _table(self, name: str) -> list[sqlite.Row]:
        """All rows of a table, in no order."""
        return self._tables(name)[name][0]

    def _tables(self, *names: str) -> dict[str, tuple[list[sqlite.Row], int]]:
        """The rows of tables, unordered, with their number of changes and verified checksums."""

        def ask(connection: sqlite3.Connection) -> dict[str, tuple[list[sqlite.Row], int]]:
            if self._connection is None or self._writable:
                return tables.checked(connection, self.path, names)
            # in memory: the SHA-256 of the bytes was verified
            tables.check(connection, self.path)
            return {name: (tables.rows(connection, self.path, name), 0) for name in names}

        return self._asked(ask)

    def _asked(self, ask: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """The result of ``ask`` on the file with all that was recorded."""
        with sqlite.trouble(self.path):
            if self._connection is None:
                return sqlite.of_file(self.path, ask)
            self.flush()
            return ask(self._connection)


def not_running(folder: Path, status: str) -> TreinoError:
    """The error for a command to a run that reads no commands. status: the folder's, or `ending`."""
    return NOT_RUNNING(run=folder.name, status=_(status))


def _epoch_value(row: Row) -> EpochValue:
    *place, value = row
    return EpochValue._make((*place, math.nan if value is None else value))


def is_mark(mark: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value has the form of `Database.mark`."""
    if not isinstance(mark, dict) or not isinstance(changes := mark.get("changes"), dict):
        return False
    numbers = [mark.get("segment"), mark.get("count"), *changes.values()]
    return all(type(each) is int for each in numbers) and changes.keys() == tables.COLUMNS.keys()


def _insertions(change: Change) -> list[Statement]:
    """The statements that insert a row for each of the settings."""
    place = int(change.segment), int(change.step)
    return [
        insertion("changes", (*place, name, json_bytes(value).decode().strip(), change.sender))
        for name, value in change.settings.items()
    ]


def _losses(rows: Iterable[sqlite.Row], segment: int, path: Path) -> "np.ndarray":
    import numpy as np

    chunks = sorted(row[1:] for row in rows if row[0] == segment)
    if not chunks:
        return np.zeros(0, np.float32)
    try:
        parts = [np.frombuffer(blob, "<f4").reshape(count, -1) for _first, count, blob in chunks]
        losses = np.concatenate(parts).astype(np.float32)
        missing = [a[0] + a[1] for a, b in pairwise(chunks) if a[0] + a[1] != b[0]]
    except (ValueError, TypeError) as error:
        raise damaged(path, str(error)) from error
    if missing:
        raise _missing(path, missing[0])
    return losses[:, 0] if losses.shape[1] == 1 else losses


def _missing(path: Path, step: int) -> TreinoError:
    return damaged(path, _("the losses after step {step} are missing").format(step=step))


def _json(text: str, path: Path, kind: type = object) -> Any:
    """The value of a JSON text in a table. kind: the type that it must have."""
    try:
        value = without_sources(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        reason = _("it holds text that is not valid JSON ({error})").format(error=error)
        raise damaged(path, reason) from error
    if not isinstance(value, kind):
        raise damaged(path, _("{value} stands in one of its tables").format(value=repr(text)[:60]))
    return value
