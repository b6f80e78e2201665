"""Commands that come while a run is sealed, and tables that they came into all the same."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.folders.test_processes import lines, wait
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, sqlite, tables
from treino.folders.store.manifest import KINDS
from treino.folders.store.tables import Statement

SENDERS = 2
INSERT = "INSERT INTO commands (time, segment, step, name, value, state) VALUES (?, ?, ?, ?, ?, ?)"


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_that_comes_while_a_folder_is_sealed_is_in_it_or_refused(
    tmp_path: Path, fork: Callable[..., int], kind: str, thorough: bool
) -> None:
    log, rounds = tmp_path / "log", 70 if thorough else 12
    senders = [fork("send", tmp_path, log, rounds) for _ in range(SENDERS)]
    for number in range(rounds):
        with RunFolder.create(out=tmp_path / str(number), kind=kind) as folder:
            heard: set[int] = set()
            while heard != set(senders):
                assert "Traceback" not in "".join(lines(log))
                heard |= {command.value for command in folder.database.poll_commands()}
            folder.database.add_losses(0, 0, np.ones(number % 7, np.float32))
            folder.seal("stopped")
        taken = [line.split() for line in wait(log, SENDERS * (number + 1))[-SENDERS:]]
        assert {place for place, _count in taken} == {str(number)}
        commands = RunFolder.open(folder.path).database.commands()
        assert len(commands) == sum(int(count) for _place, count in taken)
        assert {command.state for command in commands} == {"refused"}
        assert sorted(each.name for each in folder.path.iterdir()) == ["manifest.json", "run.sqlite"]


def test_nobody_is_heard_from_the_end_of_the_training_on(tmp_path: Path) -> None:
    with RunFolder.create(out=tmp_path / "a") as folder:
        other = RunFolder.open(folder.path)
        other.database.add_command("lr", 0.1)
        folder.refuse_commands()
        folder.refuse_commands()
        assert other.status == "running"
        with pytest.raises(TreinoError, match="a is ending: no process would hear that") as caught:
            other.database.add_command("lr", 0.2)
        assert caught.value.rule == "not_running"
        assert [(each.value, each.state) for each in other.database.commands()] == [(0.1, "refused")]
    other.database.add_command("lr", 0.3)  # its writer is gone, as if it had died
    with folder.lock():
        assert [each.value for each in folder.database.poll_commands()] == [0.3]
        other.database.add_command("lr", 0.4)


# ---- by who didn't ask the manifest


def add_late(path: Path, names: tuple[str, ...] = ("step", "play"), *, log: bool = False) -> None:
    """Add commands to a sealed file. log: by way of the log that was there still."""
    with closing(sqlite.connect(path, "rw")) as connection:
        if log:
            connection.execute("PRAGMA journal_mode = WAL")
        for name in names:
            statement = Statement("commands", INSERT, (1.0, None, None, name, "1", "new"))
            tables.do(connection, path, [statement])
            sqlite.out_of_log(connection)


def content(folder: RunFolder) -> tuple[Any, ...]:
    tables = folder.database
    return tables.losses().tolist(), tables.epochs(), tables.events(), tables.commands()


def content_or_rule(path: Path) -> Any:
    try:
        return content(RunFolder.open(path))
    except TreinoError as error:
        return error.rule


@pytest.fixture
def sealed(finished: RunFolder) -> RunFolder:
    """A run with a command that was applied."""
    with finished:
        finished.unseal()
        finished.database.add_command("lr", 0.5, step=12)
        finished.database.mark_command(1, "applied", 12, 0)
        finished.seal("stopped")
    return RunFolder.open(finished.path)


@pytest.mark.parametrize("log", [False, True], ids=["in the file", "by the log"])
def test_a_run_that_was_given_commands_after_its_seal_opens_without_them(
    sealed: RunFolder, log: bool
) -> None:
    before = content(sealed)
    add_late(sealed.path / "run.sqlite", log=log)
    changed = (sealed.path / "run.sqlite").read_bytes()
    again = RunFolder.open(sealed.path)
    assert content(again) == before
    (notice,) = again.notices
    assert "left out: step, play" in notice
    assert (sealed.path / "run.sqlite").read_bytes() == changed
    with again:
        again.unseal()
        assert again.database.poll_commands() == []
        assert [(c.name, c.state) for c in again.database.commands()[1:]] == [
            ("step", "refused"),
            ("play", "refused"),
        ]
        again.seal("stopped")
    whole = RunFolder.open(sealed.path)
    assert content(whole)[:3] == before[:3]
    assert whole.notices == []


OTHERWISE = {
    "losses": "UPDATE losses SET blob = zeroblob(length(blob)) WHERE step = 0",
    "another event": "INSERT INTO events VALUES (1.0, 0, 40, 'noted', '{}')",
    "an event less": "DELETE FROM events WHERE rowid = 1",
    "a command less": "DELETE FROM commands WHERE name = 'lr'",
    "another command": "UPDATE commands SET value = '0.7' WHERE name = 'lr'",
    "no sum": "UPDATE sums SET sum = '' WHERE name = 'commands'",
    "heard": "UPDATE commands SET state = 'applied'",
    "a table more": "CREATE TABLE other (x)",
    "another version": "PRAGMA user_version = 3",
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_any_other_difference_is_damage(sealed: RunFolder, how: str) -> None:
    path = sealed.path / "run.sqlite"
    add_late(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(OTHERWISE[how])
    with pytest.raises(TreinoError, match=r"run\.sqlite is damaged: its content does not match its SHA-256"):
        RunFolder.open(sealed.path)


def test_so_is_an_older_file_with_commands(sealed: RunFolder) -> None:
    path = sealed.path / "run.sqlite"
    with closing(sqlite.connect(path, "rw")) as connection:
        shorter = [Statement("losses", "DELETE FROM losses WHERE step >= ?", (30,))]
        tables.do(connection, path, shorter)
    add_late(path)
    with pytest.raises(TreinoError, match="is damaged"):
        RunFolder.open(sealed.path)


def test_each_bit_of_such_a_file_is_looked_after(sealed: RunFolder, tmp_path: Path) -> None:
    """A bit that is flipped in it, too, is damage, or in no table."""
    add_late(sealed.path / "run.sqlite")
    before, data = content(RunFolder.open(sealed.path)), (sealed.path / "run.sqlite").read_bytes()
    copy = Path(shutil.copytree(sealed.path, tmp_path / "copy"))
    for place in np.random.default_rng(0).choice(8 * len(data), 60, replace=False).tolist():
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        (copy / "run.sqlite").write_bytes(flipped)
        assert content_or_rule(copy) in (before, "run_damaged")
