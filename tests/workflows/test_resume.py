"""A run that was killed or stopped, and then resumed, equals the one that was not, bit for bit."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import Treino, refusal_of
from tests.many_networks import study_events, sweep_events
from tests.waiting import HANG, ignored, until
from treino.api import Run
from treino.api import open as open_result
from treino.base import files, lock
from treino.engine.kernels.lanes_library import why_missing
from treino.folders.store import RunFolder
from treino.settings.spec import read_settings
from treino.training.branch import rewinding
from treino.training.loop import JobEnd, JobEvent, JobProgress, JobStart
from treino.training.replay import snapshots
from treino.training.stored_results import open_run
from treino.training.sweeps.study import study_resumption
from treino.training.sweeps.sweep import sweep_resumption
from treino.training.train import drain, resuming, train_events

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "dropout and cosine": {"dropout": 0.3, "schedule": "cosine", "warmup": 7, "clip": 0.5},
    "early stopping": {"patience": 15, "epochs": 300, "lr": 0.02},
    "as taught": {"as_taught": True, "optimizer": "sgd", "momentum": 0.5, "lr": 1e-3, "clip": 1.0},
    "batch norm": {"batch_norm": True, "dropout": 0.1},
    "module": {"engine": "module", "dropout": 0.2},
    "batched": {"engine": "batched", "dropout": 0.2, "optimizer": "adamw", "weight_decay": 0.1},
    **({} if why_missing() else {"lanes": {"engine": "lanes", "dropout": 0.2, "activation": "gelu"}}),
    "one order": {"engine": "batched", "shuffle": "once", "keep": "last"},
    "diverges": {"optimizer": "sgd", "lr": 1e5},
}


@pytest.fixture(autouse=True)
def _short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many places at which these short trainings can be stopped."""
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.004)


def settings_of(case: str, epochs: int = 60) -> Any:
    base = {"epochs": epochs, "seed": 3, "hidden": [17, 5]}
    asked = base | CASES[case]
    return read_settings(asked | {"name": "run"})


def same(a: Run, b: Run) -> None:
    """All that a training computes is equal; only times differ."""
    assert a.status == b.status
    np.testing.assert_array_equal(a.losses.view(np.int32), b.losses.view(np.int32))
    for name in ("model.safetensors",):
        one, two = a.folder.read_tensors(name)[0], b.folder.read_tensors(name)[0]
        assert one.keys() == two.keys()
        assert all(torch.equal(one[k], two[k]) for k in one)
    state_a, state_b = a.folder.last_checkpoint(), b.folder.last_checkpoint()
    assert state_a[0].keys() == state_b[0].keys()
    for key, tensor in state_a[0].items():
        assert torch.equal(tensor.nan_to_num(), state_b[0][key].nan_to_num()), key
    assert state_a[1]["engine"] == state_b[1]["engine"]
    times = ("seconds", "epoch_seconds", "evaluation_seconds", "run", "path")
    one, two = ({k: v for k, v in r.document.items() if k not in times} for r in (a, b))
    assert one == two
    assert a.evaluations == b.evaluations


def in_a_child(work: Callable[[], object]) -> int:
    """Fork; the child works and leaves without the test's clean-up. -> its pid."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            os.dup2(devnull, 2)
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def endless(folder: Path) -> subprocess.Popen[str]:
    """A process whose training goes on until it is stopped."""
    command = [sys.executable, "-m", "treino", "train", "moons", "--epochs", "10000000", "--patience", "0"]
    return subprocess.Popen(
        [*command, "--json"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def shown(treino: Treino, epochs: int = 0) -> dict[str, Any]:
    """What ``show`` says of moons-1, once it has trained more than so many epochs; else nothing."""
    found = treino("show", "moons-1", "--json").document
    return found if found.get("epochs", 0) > epochs else {}


@pytest.mark.slow
def test_ctrl_c_saves_and_exits_130(tmp_path: Path, treino: Treino) -> None:
    with endless(tmp_path) as process:
        try:
            until(lambda: Path("runs/moons-1/spec.json").exists(), process)
            live = until(lambda: shown(treino), process)
            assert live["status"] == "running"
            assert live["rows"]["train"] == 700
            assert live["metrics"] == {"train": None, "validation": None, "test": None}
            assert len(live["loss"]["train"]) == live["epochs"] > 0
            assert "Running: " in treino("show", "moons-1").out
            assert treino("resume", "moons-1", "--json").document["error"]["rule"] == "nothing_to_resume"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=HANG)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "treino resume" in err
    said = treino("show", "moons-1", "--json").document
    assert said["status"] == "interrupted"
    assert said["metrics"]["test"] is None
    assert said["steps"] > 0
    assert '"status": "interrupted"' in out


BEGINNINGS: dict[str, Callable[[Path], Iterator[JobEvent]]] = {
    "run": resuming,
    "rewound": lambda path: rewinding(next(snapshots(open_run(path), [40])), {"lr": 0.01, "epochs": 90}),
    "sweep": sweep_resumption,
    "more": partial(sweep_resumption, more=2),
    "study": study_resumption,
}


@pytest.mark.parametrize(
    "what", [pytest.param(w, marks=[pytest.mark.slow] if w == "more" else []) for w in BEGINNINGS]
)
def test_ctrl_c_at_the_beginning_of_a_resume_loses_nothing(what: str, tmp_path: Path) -> None:
    """Whenever it comes while the folder is opened again: the folder is as before, or sealed once more."""
    over = what in ("rewound", "more")
    if what in ("run", "rewound"):
        stream = train_events("wine", settings_of("plain"), parent=tmp_path)
    elif what == "study":
        asked = {"settings": {"epochs": 300}, "batch_sizes": [32], "name": "run"}
        stream = study_events("wine", parent=tmp_path, **asked)
    else:
        asked = {"members": 4, "settings": {"epochs": 30 if over else 300}, "name": "run"}
        stream = sweep_events("wine", "lr=0.001..0.1", parent=tmp_path, **asked)
    for event in stream:
        if isinstance(event, JobProgress) and not over:
            signal.raise_signal(signal.SIGINT)
            over = True
    before = RunFolder.open(tmp_path / "run").status
    for moment in range(3):  # the lock, the manifest's rename, the event
        shutil.copytree(tmp_path / "run", path := tmp_path / f"{moment}/run")
        calls, ended = itertools.count(), []

        def asking(*arguments: Any, real: Any, calls: Iterator[int] = calls, at: int = moment) -> Any:
            if next(calls) == at < 2:
                signal.raise_signal(signal.SIGINT)
            return real(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            for module, name in ((files, "_rename"), (lock, "acquire")):
                patch.setattr(module, name, partial(asking, real=getattr(module, name)))
            for event in BEGINNINGS[what](path):
                if isinstance(event, JobStart) and moment == 2:
                    signal.raise_signal(signal.SIGINT)
                ended += [event] * isinstance(event, JobEnd)
        assert ended[0].interrupted
        assert RunFolder.open(path).status in (before, "interrupted")
        assert what == "study" or open_run(path).tensors


@pytest.mark.release
def test_a_training_in_the_background_ignores_its_neighbours_ctrl_c_and_saves_at_sigterm(
    tmp_path: Path, treino: Treino
) -> None:
    """As a shell starts it with ``&``: it has Ctrl-C ignored, and what a process ignores its children do."""
    with ignored(signal.SIGINT):
        started = endless(tmp_path)
    with started as process:
        try:
            before = until(lambda: shown(treino), process)
            process.send_signal(signal.SIGINT)
            until(lambda: shown(treino, before["epochs"]), process)
            process.send_signal(signal.SIGTERM)
            _out, err = process.communicate(timeout=HANG)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    after = treino("show", "moons-1", "--json").document
    assert after["status"] == "interrupted"
    assert after["epochs"] > before["epochs"]


@pytest.mark.slow
def test_commands_from_outside_are_obeyed_and_replayed(tmp_path: Path) -> None:
    asked = read_settings({"epochs": 400, "hidden": [8], "name": "run"})
    events = train_events("wine", asked, parent=tmp_path, checkpoint_seconds=0)
    path = tmp_path / "run"
    next(events)
    first = next(events)
    open_result(path).set("lr", 1e-2)
    open_result(path).set("betas", (0.8, 0.99))
    at = first.tick.step
    next(events)
    next(events)
    events.close()
    (change,) = open_run(path).changes
    assert change.step >= at
    resumed = drain(resuming(path))
    again = train_events(
        "wine", read_settings({"epochs": 400, "hidden": [8], "name": "again"}), parent=tmp_path
    )
    other = next(again).job.training
    other.set("lr", 1e-2, change.step)
    other.set("betas", (0.8, 0.99), change.step)
    np.testing.assert_array_equal(resumed.losses, drain(again).losses)
    plain = drain(
        train_events("wine", read_settings({"epochs": 400, "hidden": [8], "name": "plain"}), parent=tmp_path)
    )
    assert not np.array_equal(resumed.losses, plain.losses)


def test_a_command_that_comes_too_late_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    events = train_events(
        "wine", read_settings({"epochs": 300, "hidden": [8], "name": "run"}), parent=tmp_path
    )
    next(events)
    next(events)
    live = open_result(tmp_path / "run")
    assert "no_such_thing" in str(refusal_of(live.set, "no_such_thing", 1))
    for name, value, rule in (
        ("lr", -1, "lr_range"),
        ("momentum", 0.9, "momentum_with_adam"),
        ("dropout", 0.5, "dropout_without_layer"),
    ):
        assert refusal_of(live.set, name, value).rule == rule
    live.set("lr", 0.01, step=0)
    live.folder.database.add_command("no_such_thing", 1)
    live.folder.database.add_command("lr", "fast")
    run = Run.of(drain(events))
    assert run.status == "finished"
    assert [c.state for c in run.folder.database.commands()] == ["refused"] * 3
    refusals = [e for e in run.folder.database.events() if e.kind == "refused"]
    assert "no_such_thing" in refusals[1].facts["message"]


def test_a_command_to_stop(tmp_path: Path) -> None:
    events = train_events(
        "wine", read_settings({"epochs": 100000, "hidden": [8], "name": "run"}), parent=tmp_path
    )
    next(events)
    next(events)
    open_result(tmp_path / "run").stop()
    run = Run.of(drain(events))
    assert run.status == "stopped"
    assert "no process trains it" in str(refusal_of(run.stop))
