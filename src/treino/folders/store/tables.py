"""The tables of ``run.sqlite``, with checksums that detect flipped bits and lost rows.

A table's checksum is the sum of its rows' SHA-256, read as numbers, modulo 2^256. It doesn't depend on the
order of rows, and a new row is added without reading the old ones. The table ``sums`` holds each checksum and
the table's number of changes, which distinguishes older from newer states of the file and is part of the
checksum. Both are written in the same transaction as the rows.
"""

import operator
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from treino.base.errors import Refusal
from treino.base.files import damaged
from treino.base.words import _
from treino.folders.store import sqlite
from treino.folders.store.sqlite import Row

VERSION = 2
OLDER_VERSION = Refusal(
    "{path} is of an earlier version of treino, which kept what was changed in another place.",
    "Train again: the command stands in spec.json beside it.",
)
_SCHEMA = """
CREATE TABLE losses (segment INTEGER, step INTEGER, count INTEGER, blob BLOB, PRIMARY KEY (segment, step));
CREATE TABLE epochs (segment INTEGER, epoch INTEGER, split TEXT, metric TEXT, value REAL,
                     PRIMARY KEY (segment, epoch, split, metric)) WITHOUT ROWID;
CREATE TABLE events (time REAL, segment INTEGER, step INTEGER, kind TEXT, json TEXT);
CREATE TABLE commands (id INTEGER PRIMARY KEY, time REAL, segment INTEGER, step INTEGER, name TEXT,
                       value TEXT, state TEXT, sender TEXT NOT NULL);
CREATE TABLE changes (id INTEGER PRIMARY KEY, segment INTEGER, step INTEGER, name TEXT, value TEXT,
                      sender TEXT NOT NULL);
CREATE TABLE sums (name TEXT PRIMARY KEY, changes INTEGER, sum TEXT) WITHOUT ROWID;
"""
_OPTIONAL = (int, type(None))
COLUMNS = {  # large columns last
    "losses": "segment, step, count, blob",
    "epochs": "segment, epoch, split, metric, value",
    "events": "rowid, time, segment, step, kind, json",
    "commands": "id, time, segment, step, name, value, state, sender",
    "changes": "id, segment, step, name, value, sender",
}
_KINDS: dict[str, tuple[Any, ...]] = {
    "losses": (int, int, int, bytes),
    "epochs": (int, int, str, str, (float, type(None))),
    "events": (int, float, int, int, str, str),
    "commands": (int, float, _OPTIONAL, _OPTIONAL, str, str, str, str),
    "changes": (int, int, int, str, str, str),
}
_NUMBERED = ("events", "commands", "changes")  # SQLite assigns the number of a new row: their first column
_INSERT = {
    table: f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' for _column in columns.split(','))})"
    for table, all_columns in COLUMNS.items()
    for columns in [all_columns.partition(", ")[2] if table in _NUMBERED else all_columns]
}
_MODULUS = 1 << 256


class Statement(NamedTuple):
    """An SQL statement on a table, with its parameter values."""

    table: str
    sql: str
    values: Row


def insertion(table: str, row: Row) -> Statement:
    """The statement that inserts a row. row: the columns in order, without a number that SQLite assigns."""
    return Statement(table, _INSERT[table], row)


def make(connection: sqlite3.Connection) -> None:
    """Create the empty tables."""
    connection.executescript(_SCHEMA)
    for name in COLUMNS:
        connection.execute("INSERT INTO sums VALUES (?, 0, '')", (name,))
        _set(connection, name, 0, 0)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def do(connection: sqlite3.Connection, path: Path, statements: Iterable[Statement]) -> None:
    """Execute statements in one transaction, and update the checksums of their tables."""
    check(connection, path)
    added: dict[str, int] = {}
    anew: set[str] = set()
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for (table, sql), some in groupby(statements, key=lambda each: each[:2]):
            values = [each.values for each in some]
            new = sql == _INSERT.get(table)
            if new and table in _NUMBERED:  # the checksum includes the number
                values = [(connection.execute(sql, row).lastrowid, *row) for row in values]
            else:
                connection.executemany(sql, values)
            if new:
                added[table] = added.get(table, 0) + _total(values)
            else:
                anew.add(table)
        for table in {*added, *anew}:
            changes, total = _sum(connection, table, path)
            if table in anew:
                total = _total(rows(connection, path, table))
            else:
                total += added[table] - _number((table, changes))
            _set(connection, table, changes + 1, total)


def checked(
    connection: sqlite3.Connection, path: Path, names: Iterable[str] = tuple(COLUMNS)
) -> dict[str, tuple[list[Row], int]]:
    """Return ``{table: (rows, number of changes)}``, read in one transaction.

    Raises TreinoError if a checksum is wrong.
    """
    contents = {}
    with connection:
        connection.execute("BEGIN")
        check(connection, path)
        for name in names:
            some = rows(connection, path, name)
            changes, total = _sum(connection, name, path)
            if (_total(some) + _number((name, changes)) - total) % _MODULUS:
                message = _("the rows of its table {name} are not those that were written")
                raise damaged(path, message.format(name=name))
            contents[name] = some, changes
    return contents


def rows(
    connection: sqlite3.Connection, path: Path, name: str, where: str = "true", values: Row = ()
) -> list[Row]:
    """All rows of a table, or those that a condition with these values takes, without verifying its checksum;
    its indices, which may be damaged, aren't used.

    Every value has its column's type, since SQLite stores any type in any column; no row, step or epoch has a
    number below the first.
    """
    sql = f"SELECT {COLUMNS[name]} FROM {name} NOT INDEXED WHERE {where}"
    table: list[Row] = connection.execute(sql, values).fetchall()
    for row in table:
        for value, kind in zip(row, _KINDS[name], strict=True):
            if not isinstance(value, kind) or (type(value) is int and value < 0):
                raise damaged(path, _("{value} stands in one of its tables").format(value=repr(value)[:60]))
        if name == "epochs" and row[1] == 0:
            raise damaged(path, _("{value} stands in one of its tables").format(value="epoch 0"))
    return table


def changes(connection: sqlite3.Connection, path: Path) -> dict[str, int]:
    """The number of changes of each table."""
    return {name: _sum(connection, name, path)[0] for name in COLUMNS}


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise TreinoError if the file's tables, views and triggers aren't exactly a run's: views and triggers
    could run foreign code."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION - 1:
        raise OLDER_VERSION(path=path)
    if version != VERSION or sqlite.objects(connection) != _objects():
        raise damaged(path, _("its tables are not those of a run"))


@cache
def _objects() -> frozenset[Row]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        return sqlite.objects(connection)


def _sum(connection: sqlite3.Connection, name: str, path: Path) -> tuple[int, int]:
    row = connection.execute("SELECT changes, sum FROM sums WHERE name = ?", (name,)).fetchone()
    try:
        return operator.index(row[0]), int(row[1], 16)
    except (TypeError, ValueError) as error:
        raise damaged(path, _("the sum of its table {name} is missing").format(name=name)) from error


def _set(connection: sqlite3.Connection, name: str, number: int, total: int) -> None:
    text = f"{(total + _number((name, number))) % _MODULUS:064x}"
    connection.execute("UPDATE sums SET changes = ?, sum = ? WHERE name = ?", (number, text, name))


def _total(some: Iterable[Row]) -> int:
    return sum(_number(row) for row in some)


def _number(row: Row) -> int:
    """The SHA-256, as a number, of the ``repr`` of a row's values, followed by the bytes of a blob."""
    if type(row[-1]) is bytes:
        return int.from_bytes(sha256(repr(row[:-1]).encode() + row[-1]).digest())
    return int.from_bytes(sha256(repr(row).encode()).digest())
