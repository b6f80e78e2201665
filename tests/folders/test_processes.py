"""Real processes: killed at any moment, starting at once, replaced, reading what another one writes."""

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.folders import children
from tests.folders.conftest import fill
from tests.waiting import until
from treino.base.errors import TreinoError
from treino.folders.store import RunFolder, list_runs

Fork = Callable[..., int]


def lines(log: Path) -> list[str]:
    """What was told so far: whole lines."""
    return log.read_text().split("\n")[:-1] if log.exists() else []


def wait(log: Path, count: int) -> list[str]:
    """The first `count` lines, as soon as they are there."""
    return until(lambda: found if len(found := lines(log)) >= count else [])


def kill(process: int) -> None:
    """Kill, and wait until the system has cleaned up; it may have ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    until(lambda: not (Path(f"/proc/{process}").exists() if Path("/proc/self").exists() else _alive(process)))


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_that_start_in_the_same_second_get_folders_of_their_own(tmp_path: Path, fork: Fork) -> None:
    log, start = tmp_path / "log", tmp_path / "start"
    for number in range(4):
        fork("create", tmp_path / "runs", log, tmp_path / f"ready {number}", start, 4)
    until(lambda: len(list(tmp_path.glob("ready *"))) == 4)
    start.touch()
    names = wait(log, 16)
    assert sorted(names) == sorted(f"wine-{number}" for number in range(1, 17))
    assert all(each.status in ("running", "interrupted") for each in list_runs(tmp_path / "runs"))


def held(by: str, parent: Path, fork: Fork) -> tuple[RunFolder, Path, int]:
    """A run in the hands of a process of this kind, its log, its number."""
    with RunFolder.create(parent=parent, name="a") as folder:
        pass
    return folder, parent / "log", fork(by, folder.path, parent / "log")


def test_a_killed_process_leaves_an_interrupted_run(tmp_path: Path, fork: Fork) -> None:
    folder, log, process = held("hold", tmp_path, fork)
    wait(log, 1)
    assert folder.status == "running"
    assert list_runs(tmp_path)[0].status == "running"
    with pytest.raises(TreinoError, match=f"is being written by process {process}"):
        folder.lock()
    kill(process)
    assert folder.status == "interrupted"
    assert list_runs(tmp_path)[0].status == "interrupted"
    folder.lock().close()


def test_a_worker_that_outlives_its_parent_does_not_hold_the_run(tmp_path: Path, fork: Fork) -> None:
    folder, log, process = held("orphan", tmp_path, fork)
    worker, rule = wait(log, 1)[0].split()
    assert rule == "run_not_writing"
    assert folder.status == "running"
    kill(process)
    assert _alive(int(worker))
    assert folder.status == "interrupted"
    folder.lock().close()
    os.kill(int(worker), signal.SIGKILL)


def killed_again_and_again(folder: RunFolder, log: Path, fork: Fork, end: int, kills: int, seed: int) -> int:
    """Let a run be written, kill it at random moments, check it, let it go on; how many kills hit."""
    moments, hits = random.Random(seed), 0
    for _each in range(kills):
        process = fork("write", folder.path, log, end)
        time.sleep(moments.uniform(0, 0.06))
        kill(process)
        told = lines(log)
        assert not [line for line in told if not line.isdigit() and line != "sealed"]
        if folder.status == "finished":
            break
        hits += 1
        assert folder.status == "interrupted"
        dead = RunFolder.open(folder.path)
        promised = max(map(int, told), default=0)
        kept = dead.last_checkpoint()
        step = 0 if kept is None else kept[1]["step"]
        assert step >= promised  # it may have died before it could tell
        assert step % 10 == 0
        assert kept is None or torch.equal(kept[0]["w"], children.state(step))
        losses = dead.database.losses()
        assert len(losses) >= step
        assert losses.tolist() == [children.loss(s) for s in range(len(losses))]
        assert [each.epoch for each in dead.database.epochs()][: step // 10] == [*range(1, step // 10 + 1)]
        assert not dead.notices
    return hits


@pytest.mark.slow
def test_a_run_killed_at_any_moment_goes_on(tmp_path: Path, fork: Fork, thorough: bool) -> None:
    log, kills, end = tmp_path / "log", 120 if thorough else 30, 3000
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        folder.write_json("spec.json", {"end": end})
    hits = killed_again_and_again(folder, log, fork, end, kills, seed=kills)
    assert hits > kills // 10
    if folder.status != "finished":
        fork("write", folder.path, log, end)
    until(lambda: not all(line.isdigit() for line in lines(log)))
    assert lines(log)[-1] == "sealed", lines(log)
    done = RunFolder.open(folder.path)
    assert done.status == "finished"
    assert done.database.losses().tolist() == [children.loss(step) for step in range(end)]
    assert len(done.database.epochs()) == end // 10
    assert torch.equal(done.read_tensors("model.safetensors")[0]["w"], children.state(end))


@pytest.mark.slow
def test_a_run_is_read_while_another_process_writes_it(tmp_path: Path, fork: Fork) -> None:
    log = tmp_path / "log"
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    process = fork("write", folder.path, log, 1000)
    wait(log, 1)
    os.kill(process, signal.SIGSTOP)
    assert folder.status == "running"
    os.kill(process, signal.SIGCONT)
    lengths, seen = [0], set()
    while lines(log)[-1:] != ["sealed"]:
        reader = RunFolder.open(folder.path)
        seen.add(reader.status)
        losses = reader.database.losses()
        assert losses.tolist() == [children.loss(step) for step in range(len(losses))]
        lengths.append(len(losses))
        kept = reader.last_checkpoint()
        assert kept is None or torch.equal(kept[0]["w"], children.state(kept[1]["step"]))
        assert not reader.notices
        assert all(line.isdigit() or line == "sealed" for line in lines(log)), lines(log)
    assert lengths == sorted(lengths)
    assert seen <= {"running", "finished"}


def test_no_room_for_the_tables_is_one_error_and_nothing_is_lost(tmp_path: Path, fork: Fork) -> None:
    log = tmp_path / "log"
    with RunFolder.create(parent=tmp_path, name="a") as folder:
        pass
    fork("crowded", folder.path, log, 150_000)
    told, end = wait(log, 2)
    whole, step, rule, status, message = told.split(" ", 4)
    assert int(whole) == int(step) - 1000 > 5000
    assert rule in ("disk_full", "disk_error")
    assert status == "1"
    assert str(folder.path / "run.sqlite") in message
    assert end == "sealed"
    losses = RunFolder.open(folder.path).database.losses()
    assert np.array_equal(losses, np.repeat(np.arange(0, int(step), 1000, dtype=np.float32), 1000))


@pytest.mark.parametrize("state", ["finished", "interrupted", "interrupted, with its log"])
def test_a_run_is_read_where_nothing_may_be_written(fork: Fork, state: str) -> None:
    with tempfile.TemporaryDirectory() as top:
        root = Path(top)
        root.chmod(0o777)
        log = root / "log"
        log.touch()
        log.chmod(0o666)
        with fill(RunFolder.create(parent=root, name="a")) as folder:
            if state == "finished":
                folder.seal("finished")
            elif "log" in state:
                folder.database.flush()
                for name in ("run.sqlite", "run.sqlite-wal"):
                    (root / name).write_bytes((folder.path / name).read_bytes())
        if "log" in state:
            for name in ("run.sqlite", "run.sqlite-wal"):
                (root / name).rename(folder.path / name)
        for path in folder.path.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        folder.path.chmod(0o555)
        fork("read_as_nobody", folder.path, log)
        assert wait(log, 1) == [f"{state.split(',')[0]} 40 2 read_only"]
        folder.path.chmod(0o755)
        (folder.path / "checkpoint").chmod(0o755)
