"""The run's tables: what is added comes back, is cut at a checkpoint, and can be read by others."""

import hashlib
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.folders.store import Change, Database, RunFolder, tables
from treino.folders.store import database as module


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        yield folder


def events_on_disk(database: Database) -> int:
    """How many events another process can see."""
    with closing(sqlite3.connect(database.path)) as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


@settings(max_examples=15)
@given(
    chunks=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    members=st.sampled_from([0, 1, 3]),
    cut=st.floats(0, 1),
    data=st.data(),
)
def test_losses_are_the_same_whatever_the_chunks_and_are_cut_anywhere(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[int], members: int, cut: float, data: st.DataObject
) -> None:
    steps = sum(chunks)
    shape = (steps, members) if members else (steps,)
    numbers = st.floats(width=32)
    flat = data.draw(st.lists(numbers, min_size=math.prod(shape), max_size=math.prod(shape)))
    losses = np.array(flat, np.float32).reshape(shape)
    path = tmp_path_factory.mktemp("db") / "run.sqlite"
    Database.make(path)
    database = Database.writing(path)
    first = 0
    for count in chunks:
        database.add_losses(0, first, losses[first : first + count])
        first += count
    expected = losses[:, 0] if members == 1 else losses
    assert np.array_equal(database.losses(0), expected, equal_nan=True)
    step = round(cut * steps)
    database.cut(0, step, 0)
    kept = database.losses(0)
    assert kept.dtype == np.float32
    assert np.array_equal(kept, expected[:step] if step else np.zeros(0, np.float32), equal_nan=True)
    database.add_losses(0, step, losses[step:])
    assert np.array_equal(database.losses(0), expected, equal_nan=True)
    database.close()


def test_the_blob_is_little_endian_float32_as_documented(folder: RunFolder) -> None:
    folder.database.add_losses(2, 7, np.array([0.1, math.inf, 3], ">f8"))
    folder.database.flush()
    with closing(sqlite3.connect(folder.path / "run.sqlite")) as connection:
        (row,) = connection.execute("SELECT segment, step, count, blob FROM losses").fetchall()
    assert row[:3] == (2, 7, 3)
    assert row[3] == np.array([0.1, math.inf, 3], "<f4").tobytes()
    assert folder.database.losses(0).size == 0
    assert folder.database.segments() == [2]


def test_epochs_events_and_commands_come_back(folder: RunFolder) -> None:
    database = folder.database
    database.add_epoch(0, 1, "validation", "loss", 0.1)
    database.add_epoch(0, 1, "validation", "f1_macro", float("nan"))
    database.add_epoch(0, 2, "train", "loss", np.float32(0.25))
    database.add_event(0, 3, "noted", {"nan": math.nan, "text": "é", "number": 0.1})
    database.add_event(0, 3, "plain")
    (undefined, *rest) = database.epochs()
    assert math.isnan(undefined.value)
    assert [tuple(each) for each in rest] == [(1, "validation", "loss", 0.1), (2, "train", "loss", 0.25)]
    assert [(each.step, each.kind, each.facts) for each in database.events()] == [
        (3, "noted", {"nan": None, "text": "é", "number": 0.1}),
        (3, "plain", {}),
    ]
    assert abs(database.events()[0].time - time.time()) < 60
    database.add_epoch(0, 1, "validation", "loss", 0.2)
    with pytest.raises(sqlite3.IntegrityError):
        database.flush()
    database._gathered.clear()


def test_cutting_leaves_earlier_segments_and_commands_alone(folder: RunFolder) -> None:
    database = folder.database
    for segment in (0, 1, 2):
        database.add_losses(segment, 0, np.full(20, segment, np.float32))
        for epoch in (1, 2):
            database.add_epoch(segment, epoch, "train", "loss", epoch)
            database.add_event(segment, epoch * 10, "epoch")
    database.add_command("lr", 0.5, step=15)
    (command,) = database.poll_commands()
    database.mark_command(command.id, "applied", segment=1)
    for segment in (0, 1, 2):
        database.add_change(Change(segment, 15, {"lr": 0.5, "clip": None}, "agent"))
    database.cut(1, 10, 1)
    assert database.changes() == [Change(n, 15, {"lr": 0.5, "clip": None}, "agent") for n in (0, 1)]
    assert [len(database.losses(segment)) for segment in (0, 1, 2)] == [20, 10, 0]
    assert [[each.epoch for each in database.epochs(segment)] for segment in (0, 1, 2)] == [[1, 2], [1], []]
    assert [(each.segment, each.step) for each in database.events()] == [(0, 10), (0, 20), (1, 10)]
    assert [(each.step, each.segment, each.state) for each in database.commands()] == [(15, 1, "applied")]


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "mark", "add", "mark", "cut", "next", "next", "again", "flush"]),
            st.integers(1, 9),
        ),
        min_size=4,
        max_size=12,
    )
)
@example([("add", 3), ("mark", 1), ("next", 1), ("add", 2)])  # a segment that begins where the last one ends
def test_the_mark_is_of_all_losses_whatever_was_done(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("db") / "run.sqlite"
    Database.make(path)
    database, told, segment, first = Database.writing(path), [0.0][:0], 0, 0
    for number, (deed, count) in enumerate([*deeds, ("mark", 0)]):
        if deed == "add":
            told += [float(number)] * count
            database.add_losses(segment, first + len(told) - count, np.full(count, number))
        elif deed == "mark":
            mark = database.mark()
            assert mark["count"] == len(told)
            assert mark["sha256"] == hashlib.sha256(np.array(told, "<f4").tobytes()).hexdigest()
            assert mark["segment"] == segment or not told
            database.check(mark)
        elif deed == "cut" and told:
            told = told[: max(len(told) - count, 1)]
            database.cut(segment, first + len(told), 0)
        elif deed == "next" and told:
            segment, first, told = segment + 1, first + len(told) // min(count, 2), [-1.0]
            database.add_losses(segment, first, np.full(1, -1))
        elif deed == "again":
            database.close()
            database = Database.writing(path)
        elif deed == "flush":
            database.flush()
        database.check(None)
    database.close()


def test_checkpoints_read_no_losses_again_however_many_there_are(folder: RunFolder) -> None:
    database, asked = folder.database, list[str]()
    database.add_losses(0, 0, np.arange(1000))
    folder.checkpoint({}, {"step": 1000})
    database._connection.set_trace_callback(asked.append)
    for step in range(1000, 1500, 100):
        database.add_losses(0, step, np.arange(step, step + 100))
        folder.checkpoint({}, {"step": step + 100})
    database._connection.set_trace_callback(None)
    assert [each for each in asked if "INSERT INTO losses" in each]
    assert not [each for each in asked if "FROM losses" in each]
    assert folder.last_checkpoint() is not None  # which compares the losses with the newest mark
    # what changes on the disk between two checkpoints is not taken for true by the later one
    change = "UPDATE losses SET blob = zeroblob(length(blob)) WHERE step = 1200"
    tables.do(database._connection, database.path, [tables.Statement("losses", change, ())])
    database.add_losses(0, 1500, np.ones(1))
    folder.checkpoint({}, {"step": 1501})
    assert "not what the checkpoint was reached with" in str(refusal_of(folder.last_checkpoint))
    database._connection.execute("UPDATE losses SET blob = zeroblob(length(blob)) WHERE step = 1300")
    for ask in (folder.last_checkpoint, lambda: folder.seal("stopped"), database.losses):
        assert "table losses are not those that were written" in str(refusal_of(ask))


def test_losses_that_are_missing_are_noticed(folder: RunFolder) -> None:
    database = folder.database
    assert "after step 0 are missing" in str(refusal_of(database.cut, 0, 5, 0))
    database.add_losses(0, 0, np.ones(4))
    with pytest.raises(TreinoError, match=r"run\.sqlite is damaged: the losses after step 4 are missing"):
        database.cut(0, 5, 0)
    database.cut(1, 5, 0)
    database.add_losses(0, 6, np.ones(4))
    assert "after step 4 are missing" in str(refusal_of(database.losses))


def test_at_most_one_transaction_per_half_second(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    database, seen = folder.database, []
    for _each in range(30):
        database.add_event(0, 0, "tick")
        seen.append(events_on_disk(database))
        now[0] += 0.1
    assert len(set(seen)) == 6  # of 3 seconds
    assert seen[0] == 1
    database.poll_commands()
    now[0] += 0.5
    assert database.poll_commands() == []
    assert events_on_disk(database) == 30  # polling commits what has waited long enough


# ---- others


def test_commands_come_from_anyone_and_arrive_once_in_order(folder: RunFolder) -> None:
    database, other = folder.database, RunFolder.open(folder.path).database
    assert database.poll_commands() == []
    other.add_command("lr", 0.1)
    other.add_command("betas", [0.9, 0.99], step=7)
    database.add_command("stop", None)
    found = database.poll_commands()
    assert [(each.name, each.value, each.step, each.state) for each in found] == [
        ("lr", 0.1, None, "new"),
        ("betas", [0.9, 0.99], 7, "new"),
        ("stop", None, None, "new"),
    ]
    assert database.poll_commands() == []
    asked: list[str] = []
    database._connection.set_trace_callback(asked.append)
    assert [database.poll_commands() for _each in range(9)] == [[]] * 9
    assert set(asked) == {"PRAGMA data_version"}  # which takes microseconds
    for each in found[:2]:
        database.mark_command(each.id, "applied")
    other.add_command("lr", 0.2)
    assert [each.value for each in database.poll_commands()] == [0.2]
    database.flush()
    assert [(each.step, each.state) for each in other.commands()] == [
        (None, "applied"),
        (7, "applied"),
        (None, "new"),
        (None, "new"),
    ]
    folder.close()
    with folder.lock():
        assert [each.name for each in folder.database.poll_commands()] == ["stop", "lr"]


def test_a_sender_is_kept_from_any_process(folder: RunFolder) -> None:
    other = RunFolder.open(folder.path).database
    other.add_command("lr", 0.1, sender="agent")
    folder.database.add_command("dropout", 0.2, 50, sender="alert")
    other.add_command("stop", None)
    heard = folder.database.poll_commands()
    senders = [("lr", "agent"), ("dropout", "alert"), ("stop", "")]
    assert [(each.name, each.sender) for each in heard] == senders
    folder.database.mark_command(heard[0].id, "applied", 0)
    folder.seal("stopped")
    sealed = RunFolder.open(folder.path).database.commands()
    assert [(each.name, each.sender) for each in sealed] == senders


def test_a_run_is_read_while_it_is_written(folder: RunFolder) -> None:
    reader = RunFolder.open(folder.path)
    assert reader.database.losses().size == 0
    for step in range(5):
        folder.database.add_losses(0, step, np.ones(1))
        folder.database.flush()
        assert len(reader.database.losses()) == step + 1
    with closing(sqlite3.connect(folder.path / "run.sqlite")) as lingering:
        assert lingering.execute("SELECT count(*) FROM losses").fetchone() == (5,)
        folder.seal("finished")  # though somebody has the file open
        assert reader.status == "finished"
        assert len(reader.database.losses()) == 5
        assert lingering.execute("SELECT count(*) FROM losses").fetchone() == (5,)
    assert sorted(os.listdir(folder.path)) == ["manifest.json", "run.sqlite"]
    RunFolder.open(folder.path)


def test_a_database_that_is_locked_for_long_is_an_error_and_nothing_is_lost(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.sqlite, "PATIENCE", 0.01)
    folder.close()
    folder.lock()
    with closing(sqlite3.connect(folder.path / "run.sqlite", isolation_level=None)) as other:
        database = folder.database
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TreinoError, match=r"run\.sqlite is locked") as caught:
            database.add_losses(0, 0, np.ones(3))
        assert (caught.value.rule, caught.value.status) == ("run_busy", 1)
        other.execute("ROLLBACK")
    database.flush()
    assert len(database.losses()) == 3


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_vanishes_while_it_is_written_is_an_error(folder: RunFolder, how: str) -> None:
    database, path = folder.database, folder.path / "run.sqlite"
    database.add_losses(0, 0, np.ones(3))
    database.flush()
    if how == "moved":
        folder.path.rename(folder.path.with_name("b"))
    else:
        path.unlink()
    if how == "replaced":
        path.write_bytes(b"")
    database.add_losses(0, 3, np.ones(3))
    for _each in range(2):
        with pytest.raises(TreinoError, match=r"run\.sqlite is not there") as caught:
            database.flush()
        assert (caught.value.rule, caught.value.status) == ("file_vanished", 1)
    database._gathered.clear()
    if how == "deleted":
        assert "run.sqlite is not there" in str(refusal_of(RunFolder.open(folder.path).database.losses))


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 and then nothing", b"\0" * 8192, b"text"])
def test_another_file_in_its_place_is_damage(folder: RunFolder, content: bytes) -> None:
    folder.close()
    (folder.path / "run.sqlite").write_bytes(content)
    with pytest.raises(TreinoError, match=r"run\.sqlite") as caught, folder.lock():
        folder.database.losses()
    assert caught.value.rule == "run_damaged"
