"""Databases written by a stranger: triggers, views and other active parts of SQLite do nothing."""

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import refusal_of
from tests.forging import reseal
from treino.base.errors import TreinoError
from treino.folders.store import Database, RunFolder

JOURNAL = bytes.fromhex("d9d505f920a163d7")


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A sealed run with a row in each of its tables."""
    with RunFolder.create(out=tmp_path / "run") as folder:
        folder.database.add_losses(0, 0, np.ones(4, np.float32))
        folder.database.add_epoch(0, 1, "validation", "loss", 0.5)
        folder.database.add_event(0, 4, "finished", {"a": 1})
        folder.database.add_command("lr", 0.1, 2)
        folder.seal("finished")
    return tmp_path / "run"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """One that no process holds and that was not sealed."""
    with RunFolder.create(out=tmp_path / "run") as folder:
        folder.database.add_losses(0, 0, np.ones(4, np.float32))
    return tmp_path / "run"


def everything(database: Database) -> None:
    database.losses()
    database.epochs()
    database.events()
    database.commands()
    database.segments()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path / "run.sqlite")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    reseal(path)


def journal_of_several(database: Path, victim: Path) -> None:
    """A journal beside it that says: roll back, then delete that file, the journal of all databases."""
    content = database.read_bytes()
    page = struct.unpack(">H", content[16:18])[0]
    name = str(victim).encode()
    head = JOURNAL + struct.pack(">IIIII", 0, 0, len(content) // page, 512, page)
    end = (
        struct.pack(">I", 0x40000000 // page + 1) + name + struct.pack(">II", len(name), sum(name)) + JOURNAL
    )
    database.with_name(database.name + "-journal").write_bytes(head.ljust(512, b"\0") + end)


def test_sqlite_itself_deletes_what_a_journal_names(tmp_path: Path) -> None:
    """The reason for the next test; where this fails, SQLite has changed."""
    victim = tmp_path / "precious"
    victim.write_text("mine")
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    journal_of_several(tmp_path / "a.sqlite", victim)
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as connection:
        connection.execute("SELECT * FROM t").fetchall()
    assert not victim.exists()


OPENERS: list[Callable[[RunFolder], Any]] = [
    lambda folder: everything(folder.database),
    lambda folder: folder.database.add_command("lr", 0.1),
    lambda folder: folder.lock().database,
]


@pytest.mark.parametrize("open_it", OPENERS)
def test_no_journal_of_a_folder_deletes_another_file(
    killed: Path, tmp_path: Path, open_it: Callable[[RunFolder], Any]
) -> None:
    victim = tmp_path / "precious"
    victim.write_text("mine")
    journal_of_several(killed / "run.sqlite", victim)
    named = pytest.raises(TreinoError, match=r"run\.sqlite-journal is damaged")
    with RunFolder.open(killed, verify=False) as folder, named:
        open_it(folder)
    assert victim.read_text() == "mine"


PROGRAMS = [
    ("DROP TABLE epochs", "CREATE VIEW epochs AS SELECT 0 segment, 1 epoch, 'a' split, 'b' metric, 1 value"),
    (
        "DROP TABLE losses",
        "CREATE VIEW losses AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
        "SELECT 0 segment, n step, 1 count, zeroblob(4) blob FROM c",  # which has no end
    ),
    ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM losses; END",),
    ("CREATE TABLE other (x)",),
    ("ALTER TABLE epochs ADD COLUMN more AS (zeroblob(1000000000))",),
]


@pytest.mark.parametrize("statements", PROGRAMS)
@pytest.mark.parametrize("end", ["sealed", "killed"])
def test_a_view_or_a_trigger_is_no_table(
    request: pytest.FixtureRequest, end: str, statements: tuple[str, ...]
) -> None:
    path = request.getfixturevalue(end)
    change(path, *statements)
    asks: dict[str, list[Callable[[RunFolder], Any]]] = {
        "sealed": [lambda folder: everything(folder.database), lambda folder: folder.unseal()],
        "killed": OPENERS,
    }
    for ask in asks[end]:
        refused = pytest.raises(TreinoError, match="its tables are not those of a run")
        with RunFolder.open(path, verify=False) as folder, refused:
            ask(folder)


CELLS = [
    "UPDATE losses SET count = 'four'",
    "UPDATE losses SET count = 0",
    "UPDATE losses SET blob = 'text'",
    "UPDATE epochs SET epoch = 'one'",
    "UPDATE epochs SET split = x'00'",
    "UPDATE epochs SET value = 'high'",
    "UPDATE events SET step = 1.5",
    "UPDATE events SET json = '[1]'",
    "UPDATE events SET json = x'00'",
    "UPDATE commands SET name = NULL",
    "UPDATE commands SET step = 'x'",
    "UPDATE commands SET value = '{'",
    "UPDATE events SET kind = CAST(x'ff' AS TEXT)",
    "UPDATE epochs SET epoch = -epoch",
    "UPDATE epochs SET epoch = 0",
    "UPDATE events SET segment = -1",
    "UPDATE losses SET step = -4",
]


@pytest.mark.parametrize("statement", CELLS)
def test_every_value_is_of_its_column_s_kind(sealed: Path, statement: str) -> None:
    change(sealed, statement)
    assert refusal_of(everything, RunFolder.open(sealed).database).rule == "run_damaged"


def test_a_sum_s_number_of_changes_is_a_whole_number(killed: Path) -> None:
    change(killed, f"UPDATE sums SET changes = '{'9' * 5000}'")
    with pytest.raises(TreinoError, match="the sum of its table losses is missing"):
        everything(RunFolder.open(killed).database)


@pytest.mark.parametrize("column", ["name", "sql"])
def test_names_that_are_no_text(sealed: Path, column: str) -> None:
    """They stand in the error of SQLite, which Python then can't decode."""
    change(sealed, "PRAGMA writable_schema = ON", f"UPDATE sqlite_schema SET {column} = CAST(x'ff' AS TEXT)")
    with pytest.raises(TreinoError, match=r"run\.sqlite is damaged") as refused:
        everything(RunFolder.open(sealed).database)
    assert refused.value.rule == "run_damaged"
