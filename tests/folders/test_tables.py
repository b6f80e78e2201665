"""Checksums of a run's tables: missing and foreign rows are noticed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.folders.conftest import fill
from treino.base.errors import TreinoError
from treino.folders.store import Change, Database, RunFolder

QUESTIONS = {
    "losses": Database.losses,
    "epochs": Database.epochs,
    "events": Database.events,
    "commands": Database.commands,
    "changes": Database.changes,
}


@pytest.fixture
def interrupted(tmp_path: Path) -> RunFolder:
    """A run that broke off after its last checkpoint, and was told something."""
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        folder.database.add_command("lr", 0.5, step=12)
        (command,) = folder.database.poll_commands()
        folder.database.mark_command(command.id, "applied", 0)
        folder.database.add_change(Change(0, 12, {"lr": 0.5}))
        folder.database.add_losses(0, 40, np.ones(7))
        folder.database.add_epoch(0, 5, "validation", "loss", -0.0)
    return RunFolder.open(folder.path)


TABLES = {  # a changed value, a row too many, the key
    "losses": ("blob = zeroblob(length(blob)) WHERE step = 20", "0, 99, 1, x'00000000'", "step"),
    "epochs": ("value = value * 1.0000001 WHERE epoch = 3", "0, 9, 'a', 'b', 1.5", "epoch"),
    "events": ("json = '{}' WHERE rowid = 2", "1.5, 0, 99, 'a', '{}'", "rowid"),
    "commands": ("sender = 'agent'", "99, 1.5, 0, 0, 'a', '1', 'new', ''", "id"),
    "changes": ("value = '0.25'", "99, 0, 12, 'lr', '1', ''", "id"),
}


@pytest.mark.parametrize("how", ["a value", "the last row", "a row too many", "the sum", "its number"])
@pytest.mark.parametrize("table", TABLES)
def test_a_change_behind_the_sum_is_noticed(interrupted: RunFolder, table: str, how: str) -> None:
    path = interrupted.path / "run.sqlite"
    value, columns, key = TABLES[table]
    change = {
        "a value": f"UPDATE {table} SET {value}",
        "the last row": f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})",
        "a row too many": f"INSERT INTO {table} VALUES ({columns})",
        "the sum": f"UPDATE sums SET sum = replace(sum, substr(sum, 1, 1), 'x') WHERE name = '{table}'",
        "its number": f"UPDATE sums SET changes = changes + 1 WHERE name = '{table}'",
    }[how]
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(change).rowcount == 1
    for ask in (
        lambda: RunFolder.open(interrupted.path),
        lambda: QUESTIONS[table](Database.reading(path)),
        lambda: interrupted.lock().database,
    ):
        with pytest.raises(TreinoError, match=rf"run\.sqlite is damaged: .*{table}"), interrupted:
            ask()
    for other, question in QUESTIONS.items():
        if other != table:
            question(Database.reading(path))


def test_an_older_file_is_not_what_the_checkpoint_was_reached_with(tmp_path: Path) -> None:
    """SQLite passes over the end of a damaged log, so that the file is what it was some time before."""
    with fill(RunFolder.create(parent=tmp_path, name="a")) as folder:
        older = folder.database.to_bytes()
        folder.database.add_event(0, 40, "noted")
        folder.checkpoint({}, {"step": 40})
    whole = (folder.path / "run.sqlite").read_bytes()
    (folder.path / "run.sqlite").write_bytes(older)
    for ask in (lambda: RunFolder.open(folder.path), lambda: folder.lock().last_checkpoint()):
        with pytest.raises(TreinoError, match="not what the checkpoint was reached with"), folder:
            ask()
    (folder.path / "run.sqlite").write_bytes(whole)
    with RunFolder.open(folder.path).lock() as taken:
        assert taken.last_checkpoint() is not None


def test_a_command_outlives_the_log(interrupted: RunFolder) -> None:
    path = interrupted.path / "run.sqlite"
    with interrupted.lock():
        interrupted.database.add_losses(0, 47, np.ones(1))
        Database.reading(path).add_command("lr", 0.1)
        (command,) = interrupted.database.poll_commands()
        interrupted.database.mark_command(command.id, "applied", 0)
        interrupted.database.flush()
        interrupted.database.add_losses(0, 48, np.ones(9))
        interrupted.database.flush()
        alone = interrupted.path.with_name("alone.sqlite")
        shutil.copy(path, alone)  # as a reader finds the file whose log is damaged from its beginning
    assert [(each.value, each.state) for each in Database.reading(alone).commands()] == [
        (0.5, "applied"),
        (0.1, "applied"),
    ]


@pytest.mark.parametrize("version", [0, 3, 66])
def test_tables_of_no_known_version_are_damage(interrupted: RunFolder, version: int) -> None:
    with closing(sqlite3.connect(interrupted.path / "run.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    for ask in (
        lambda: RunFolder.open(interrupted.path),
        lambda: interrupted.database.losses(),
        lambda: interrupted.lock().database,
    ):
        with pytest.raises(TreinoError, match="its tables are not those of a run"), interrupted:
            ask()


def test_a_run_of_an_earlier_version_is_said_to_be_one(interrupted: RunFolder) -> None:
    with closing(sqlite3.connect(interrupted.path / "run.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(TreinoError, match="an earlier version of treino"):
        interrupted.database.losses()
