"""Keyframes of runs: files, contents, no effect on the training, complete after kills."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.test_moments import CASES, Own, replayed, watched
from tests.waiting import until
from tests.workflows.test_resume import in_a_child
from treino import api
from treino.api import Run
from treino.api import open as open_result
from treino.settings.spec import read_settings
from treino.training import stored_training
from treino.training.replay import snapshots
from treino.training.stored_training import keyframes_in, name_of
from treino.training.train import drain, train_events

pytestmark = pytest.mark.usefixtures("bare")


def steps_kept(run: Run) -> list[int]:
    return sorted(step for _segment, step in keyframes_in(run.folder))


@pytest.mark.parametrize("case", [*CASES, "own network"])
@pytest.mark.sampled(6)
def test_a_training_does_not_feel_its_keyframes(case: str, tmp_path: Path) -> None:
    asked = CASES.get(case, {}) | ({} if case == "own network" else {"hidden": [9]})
    net: dict[str, Any] = {"net": Own()} if case == "own network" else {}
    torch.manual_seed(0)
    if net:
        weights = {name: t.clone() for name, t in net["net"].state_dict().items()}
    plain, seen = watched("wine", asked, tmp_path, **net)
    if net:
        net["net"].load_state_dict(weights)
    run, _seen = watched("wine", asked | {"every": 7}, tmp_path, **net)
    np.testing.assert_array_equal(run.losses.view(np.int32), plain.losses.view(np.int32))
    assert all(torch.equal(run.tensors[name], t) for name, t in plain.tensors.items())
    assert steps_kept(run) == list(range(0, run.document["steps"] + 1, 7))
    replayed(run, seen)


@pytest.mark.slow
@pytest.mark.sampled(5)
@pytest.mark.parametrize("case", ["plain", "as taught", "dropout and cosine", "batch norm", "batched"])
def test_a_keyframe_is_what_the_engine_saves_there(case: str, tmp_path: Path) -> None:
    """Each keyframe, as it lies on the disk, against the state that a replay from the start saves."""
    asked = CASES[case] | {"epochs": 15, "seed": 1}
    run = api.fit("wine", parent=tmp_path, lean=True, every=6, **asked)
    bare = api.fit("wine", parent=tmp_path, lean=True, **asked)
    for step in steps_kept(run):
        tensors, meta = run.folder.read_tensors(name_of(0, step))
        saved, told = bare.at(step).saved
        for name, value in tensors.items():
            assert torch.equal(value, saved[name]), (step, name)
        assert meta["step"] == step
        assert meta["evaluated"] == told["evaluated"]
        again, told_again = run.at(step).saved
        assert told_again == told
        for name, value in saved.items():
            if name not in ("status", "stop_step") or step < run.document["steps"]:
                assert torch.equal(value.nan_to_num(), again[name].nan_to_num()), (step, name)


@pytest.mark.slow
def test_a_budget_that_is_full_doubles_the_distance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = api.fit("wine", parent=tmp_path, lean=True, epochs=30, every=1)
    assert steps_kept(first) == list(range(first.document["steps"] + 1))
    size = (first.path / name_of(0, 0)).stat().st_size
    monkeypatch.setattr(stored_training, "KEYFRAMES_BYTES", 20 * size)
    run = api.fit("wine", parent=tmp_path, lean=True, epochs=30, every=1)
    kept = steps_kept(run)
    assert kept == list(range(0, 121, 8))
    assert sum((run.path / name_of(0, step)).stat().st_size for step in kept) <= 20 * size
    again = run.rewind(60)
    assert sum(p.stat().st_size for p in (run.path / "keyframes").iterdir()) <= 20 * size * 1.1
    assert (0, 0) in keyframes_in(again.folder)
    assert (1, 60) in keyframes_in(again.folder)
    monkeypatch.setattr(stored_training, "KEYFRAMES_BYTES", size // 2)
    none = api.fit("wine", parent=tmp_path, lean=True, epochs=3, every=1)
    assert steps_kept(none) == []
    assert none.at(7).step == 7


@pytest.mark.slow
def test_a_moment_of_a_running_run(tmp_path: Path) -> None:
    """Another process trains; this one looks back into it meanwhile."""
    settings = read_settings({"steps": 200_000, "every": 400, "name": "run", "hidden": [4]})
    pid = in_a_child(lambda: drain(train_events("wine", settings, parent=tmp_path, checkpoint_seconds=0.2)))
    path = tmp_path / "run"
    try:
        until(lambda: begun_there(path) and len(open_result(path).losses) > 1000)
        found = [moment.step for moment in snapshots(open_result(path), [0, 500, 900])]
        open_result(path).stop()
    finally:
        os.waitpid(pid, 0)
    assert found == [0, 500, 900]


def begun_there(path: Path) -> bool:
    return (path / "spec.json").exists() and (path / "manifest.json").exists()
