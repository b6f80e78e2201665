"""Who sent a command is kept with it, and files of the format before hold commands of people."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.folders.conftest import fill
from tests.forging import reseal
from treino.base.errors import TreinoError
from treino.folders.store import Database, RunFolder

FORMER = """
CREATE TABLE losses (segment INTEGER, step INTEGER, count INTEGER, blob BLOB, PRIMARY KEY (segment, step));
CREATE TABLE epochs (segment INTEGER, epoch INTEGER, split TEXT, metric TEXT, value REAL,
                     PRIMARY KEY (segment, epoch, split, metric)) WITHOUT ROWID;
CREATE TABLE events (time REAL, segment INTEGER, step INTEGER, kind TEXT, json TEXT);
CREATE TABLE commands (id INTEGER PRIMARY KEY, time REAL, segment INTEGER, step INTEGER, name TEXT,
                       value TEXT, state TEXT);
CREATE TABLE sums (name TEXT PRIMARY KEY, changes INTEGER, sum TEXT) WITHOUT ROWID;
"""


def number(row: tuple[Any, ...]) -> int:
    return int.from_bytes(sha256(repr(row).encode()).digest(), "big")


def make_former(path: Path) -> None:
    """Write the database again as version 1 of its tables, whose commands have no sender."""
    with closing(sqlite3.connect(path)) as new:
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        contents = {
            name: new.execute(f"SELECT * FROM {name}").fetchall()
            for name in ("losses", "epochs", "events", "commands", "sums")
        }
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    commands = [row[:7] for row in contents["commands"]]
    changes = {name: count for name, count, _sum in contents["sums"]}["commands"]
    total = (sum(map(number, commands)) + number(("commands", changes))) % 2**256
    sums = [row for row in contents["sums"] if row[0] != "commands"] + [
        ("commands", changes, f"{total:064x}")
    ]
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(FORMER)
        for name, rows in (contents | {"commands": commands, "sums": sums}).items():
            for row in rows:
                old.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
        old.execute("PRAGMA user_version = 1")


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def told(folder: Path) -> list[tuple[str, Any, str]]:
    return [(each.name, each.value, each.sender) for each in RunFolder.open(folder).database.commands()]


@pytest.fixture
def interrupted(tmp_path: Path) -> RunFolder:
    """A run that was told something, and whose process is gone."""
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        folder.database.add_command("lr", 0.5, step=12)
        (command,) = folder.database.poll_commands()
        folder.database.mark_command(command.id, "applied", 12, 0)
    return RunFolder.open(folder.path)


def test_a_sender_is_kept_from_any_process(tmp_path: Path) -> None:
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        other = Database.reading(folder.path / "run.sqlite")
        other.add_command("lr", 0.1, sender="agent")
        folder.database.add_command("dropout", 0.2, 50, sender="alert")
        other.add_command("stop", None)
        heard = folder.database.poll_commands()
        assert [(each.name, each.sender) for each in heard] == [
            ("lr", "agent"),
            ("dropout", "alert"),
            ("stop", ""),
        ]
        folder.database.mark_command(heard[0].id, "applied", 41, 0)
        folder.seal("stopped")
    assert told(folder.path) == [("lr", 0.1, "agent"), ("dropout", 0.2, "alert"), ("stop", None, "")]


def test_a_changed_sender_is_damage(tmp_path: Path) -> None:
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        folder.database.add_command("lr", 0.1, sender="agent")
    with closing(sqlite3.connect(folder.path / "run.sqlite")) as connection, connection:
        connection.execute("UPDATE commands SET sender = ''")
    with pytest.raises(TreinoError, match=r"run\.sqlite is damaged: .*commands"):
        RunFolder.open(folder.path)


def test_a_sealed_file_of_the_former_format_is_read_and_not_changed(
    interrupted: RunFolder, tmp_path: Path
) -> None:
    with interrupted.lock():
        interrupted.seal("stopped")
    path = interrupted.path / "run.sqlite"
    make_former(path)
    reseal(interrupted.path)
    before = path.read_bytes()
    folder = RunFolder.open(interrupted.path)
    assert told(folder.path) == [("lr", 0.5, "")]
    assert len(folder.database.losses()) == 40
    assert path.read_bytes() == before
    assert version(path) == 1


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "interrupted"])
def test_the_next_training_brings_it_up_to_date(interrupted: RunFolder, sealed: bool) -> None:
    path = interrupted.path / "run.sqlite"
    if sealed:
        with interrupted.lock():
            interrupted.seal("stopped")
    make_former(path)
    reseal(interrupted.path)
    folder = RunFolder.open(interrupted.path)
    with folder:
        folder.unseal()
        assert folder.last_checkpoint() is not None
        folder.database.add_losses(0, 40, np.ones(3))
        Database.reading(path).add_command("lr", 0.1, sender="agent")
        assert [each.sender for each in folder.database.poll_commands()] == ["agent"]
        folder.checkpoint({}, {"step": 43})
        folder.seal("stopped")
    assert version(path) == 2
    assert told(folder.path) == [("lr", 0.5, ""), ("lr", 0.1, "agent")]
    assert len(RunFolder.open(folder.path).database.losses()) == 43


def test_a_file_of_the_former_format_that_lost_a_command_is_not_brought_up_to_date(
    interrupted: RunFolder,
) -> None:
    path = interrupted.path / "run.sqlite"
    make_former(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM commands")
    with interrupted, pytest.raises(TreinoError, match=r"run\.sqlite is damaged: .*commands"):
        interrupted.lock().database.commands()
    assert version(path) == 1


def test_a_process_of_an_older_treino_hears_people_and_no_agent(interrupted: RunFolder) -> None:
    """Its tables stay as it knows them, or it could not go on."""
    path = interrupted.path / "run.sqlite"
    make_former(path)
    with interrupted.lock():
        other = Database.reading(path)
        with pytest.raises(TreinoError, match="trained by an older treino") as caught:
            other.add_command("lr", 0.1, sender="agent")
        assert caught.value.rule == "run_older"
        assert caught.value.hint == "Stop it, and resume it with this treino: treino resume a"
        other.add_command("stop", None)
        assert version(path) == 1
        assert [(each.name, each.sender) for each in other.commands()] == [("lr", ""), ("stop", "")]
