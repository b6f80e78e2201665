"""Any step of a run from memory equals the same step from its folder; who steers a training says how far."""

import errno
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.conftest import refusal_of
from treino.engine.step_plan import EpochCount
from treino.folders.store.checkpoint import FOLDER, LiveFolder
from treino.folders.stored_run import StoredRun
from treino.settings.spec import read_settings
from treino.training.branch import rewinding
from treino.training.commands import PlayControl
from treino.training.replay import Playback, snapshots
from treino.training.train import RunJob, drain, train_events


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """With a learning rate that was set on the way, and a second segment of another batch size."""
    settings = read_settings({"epochs": 12, "hidden": "6", "seed": 3, "dropout": 0.2, "patience": 0})
    parent = tmp_path_factory.mktemp("playback")
    told = []

    def tell(event: object) -> None:
        job = getattr(event, "job", None)
        if isinstance(job, RunJob) and not told:
            told.append(job.folder.database.add_command("lr", 0.02, 9))

    first = drain(train_events("iris", settings, parent=parent), tell)
    (snapshot,) = snapshots(first, [17])
    return drain(rewinding(snapshot, {"batch_size": 20, "epochs": 14}))


@pytest.mark.slow
@examples(max_examples=6)
@given(st.lists(st.integers(0, 70), min_size=1, max_size=12))
def test_any_step_in_any_order(run: StoredRun, steps: list[int]) -> None:
    playback, loss_S = Playback(run, run.data), run.losses
    playback.step_seconds = 0.01  # as if each step took so long: states are kept closer together
    for step in steps:
        shown = playback.at(min(step, run.steps), loss_S)
        (stored,) = snapshots(run, [min(step, run.steps)])
        assert (shown.step, shown.hp, shown.segment) == (stored.step, stored.hp, stored.segment)
        tensors = zip(shown.net.state_dict().values(), stored.net.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) for a, b in tensors)


@pytest.mark.slow
def test_the_past_is_prepared_in_slices(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treino.training.replay.NEAR_SECONDS", 0.0)  # states as close together as may be
    playback, loss_S = Playback(run, run.data), run.losses
    while playback.prepare(run.steps, loss_S, 0.0):
        pass
    assert len(playback.states) > 5
    assert {segment for segment, _step in playback.states} == {0, 1}


@given(st.lists(st.sampled_from(["play", "pause", "step", "epoch"]), max_size=8))
def test_play_control_never_lets_a_step_too_many_through(commands: list[str]) -> None:
    play_control, step = PlayControl(), 5
    for name in commands:
        play_control.command(name, 2 if name in ("step", "epoch") else None, step, EpochCount(4))
        limit = play_control.limit(step)
        expected = {"play": None, "pause": step, "step": step + 2, "epoch": (step // 4 + 2) * 4}[name]
        assert limit == expected
        step = step if limit is None else limit


@pytest.mark.parametrize("speed", ["fast", 0, 0.005, -1, True, 1e6 + 1, float("inf")])
def test_a_speed_is_a_number_of_steps(speed: object) -> None:
    play_control = PlayControl(speed=3.0)
    assert refusal_of(play_control.command, "speed", speed, 0, EpochCount(1)).rule == "speed_range"
    assert play_control.speed == 3.0
    for known in (0.01, 1e6, None):
        play_control.command("speed", known, 0, EpochCount(1))
        assert play_control.speed == known


def test_a_training_that_is_watched_ends_though_what_is_shown_finds_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, write = [], os.write

    def no_room(descriptor: int, data: bytes) -> int:
        if f"/{FOLDER}/" in os.readlink(f"/proc/self/fd/{descriptor}"):
            full.append(descriptor)
            write(descriptor, data[:5])  # a part finds room
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr("treino.base.files._write", no_room)
    settings = read_settings({"epochs": 30, "hidden": "6", "patience": 0})
    for event in train_events("iris", settings, parent=tmp_path):
        job = event.job
        if job.run is None:
            job.view._looked = job.view._update_time = -1.0
            LiveFolder(job.folder.path).watch()
    assert full
    assert job.run.status == "finished"
    assert not (job.folder.path / FOLDER).exists()


def test_a_state_is_shown_only_while_somebody_watches(tmp_path: Path) -> None:
    settings = read_settings({"epochs": 400, "hidden": "6", "patience": 0})
    live, stamps, shown = [], [], []
    for count, event in enumerate(train_events("iris", settings, parent=tmp_path)):
        job = event.job
        if not live:
            live.append(LiveFolder(job.folder.path))
        job.view._looked = job.view._update_time = -1.0  # look at each chance
        stamps.append(live[0].stamp)
        if count == 3:
            live[0].watch()
        if count > 3 and not shown and (found := live[0].state()) is not None:
            shown.append((found, job.training))
    assert stamps[:4] == [0] * 4
    (((tensors, meta), made),) = shown
    assert meta["tail"]["first"] + len(meta["tail"]["losses"]) == meta["engine"]["step"]
    made.load(tensors, meta["engine"])
    assert made.step == meta["engine"]["step"]
    assert not (live[0].run / "live").exists()


@pytest.mark.parametrize("jump", [-40_000.0, -4.0, 0.0, 4.0, 40_000.0])
def test_who_watches_is_seen_though_a_clock_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """A stamp in the future is no viewer for ever, and one in the past none that is gone."""
    (tmp_path / FOLDER).mkdir()
    page, training, now = LiveFolder(tmp_path), LiveFolder(tmp_path), 1000.0
    monkeypatch.setattr("treino.folders.store.checkpoint.time.monotonic", lambda: now)
    assert not training.watched
    for beat in range(3):
        page.watch()
        stamp = 2_000_000_000 + beat + jump
        os.utime(tmp_path / FOLDER / "watched", (stamp, stamp))
        for _look in range(2):
            assert training.watched
            now += 1.0
    now += 1.0
    assert not training.watched
