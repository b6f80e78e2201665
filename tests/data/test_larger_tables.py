"""Runs on a table larger than memory equal the runs in memory, bit for bit."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from tests.conftest import refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.api import Run
from treino.data.mapped_rows import MappedRows
from treino.training.train import drain, resuming

TINY = "200KB"
ASKED = {"target": "y", "epochs": 2, "hidden": [9], "seed": 2}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    r = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{j}": r.normal(size=2000) for j in range(9)})
    frame["kind"] = r.choice(["a", "b", "c"], 2000)
    frame["gap"] = np.where(r.random(2000) < 0.1, np.nan, r.normal(size=2000))
    frame["y"] = np.where(frame["c0"] + frame["c1"] * frame["c2"] > 0, "yes", "no")
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def same(one: Run, two: Run) -> None:
    """The losses, the kept weights and the figures of all rows are equal."""
    np.testing.assert_array_equal(one.losses.view(np.int32), two.losses.view(np.int32))
    a, b = one.tensors, two.tensors
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert one.metrics == two.metrics
    assert one.preparation == two.preparation


@pytest.mark.slow
@pytest.mark.parametrize("shuffle", ["each", "once", "blocks", "off"])
@pytest.mark.sampled(2)
def test_the_same_weights_as_in_memory(path: Path, tmp_path: Path, shuffle: str) -> None:
    asked = ASKED | {"shuffle": shuffle, "parent": tmp_path / "runs", "lean": True}
    large = tr.fit(str(path), max_memory=TINY, **asked)
    same(large, tr.fit(str(path), **asked))
    assert list((tmp_path / "runs" / ".prepared").iterdir())
    assert 0 <= large.document["waited"] <= 1


@pytest.mark.slow
def test_a_run_is_shown_asked_drawn_and_exported(path: Path, tmp_path: Path) -> None:
    run = tr.fit(str(path), max_memory=TINY, parent=tmp_path / "runs", **ASKED)
    again = tr.open(run.path)
    assert any(".prepared" in note for note in again.document["notes"])
    assert str(tmp_path) not in (run.path / "spec.json").read_text().replace("../../t.csv", "")
    frame = pd.read_csv(path)
    assert len(again.predict(frame)) == len(frame)
    assert len(again.data.train) <= 2000  # of a large table some rows are drawn
    assert [r.path for r in tr.runs(tmp_path / "runs")] == [run.path]


TRAIN = """
import signal, sys
from treino.settings.spec import read_settings
from treino.training.loop import JobProgress
from treino.training.train import train_events
settings = {"target": "y", "hidden": [9], "seed": 2, "epochs": 120, "max_memory": "200KB", "name": "r"}
for event in train_events(sys.argv[1], read_settings(settings), parent=sys.argv[2], checkpoint_seconds=0.05):
    if isinstance(event, JobProgress):
        print(event.tick.step, flush=True)
        if event.tick.step >= 300:
            signal.pause()
"""


@pytest.mark.release
def test_a_run_that_is_killed_goes_on_from_what_was_prepared(path: Path, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(path), str(tmp_path / "runs")], stdout=subprocess.PIPE, text=True
    )
    while int(child.stdout.readline()) < 300:
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    (folder,) = (tmp_path / "runs" / ".prepared").iterdir()
    made = folder.stat().st_mtime_ns
    resumed = drain(resuming(tmp_path / "runs" / "r"))
    assert folder.stat().st_mtime_ns == made
    assert resumed.status == "finished"
    asked = ASKED | {"epochs": 120, "recipe": "plain", "parent": tmp_path / "memory", "lean": True}
    same(resumed, tr.fit(str(path), **asked))


def test_a_sweep_says_that_it_needs_its_rows_in_memory(path: Path, tmp_path: Path) -> None:
    data = tr.load(str(path), target="y", max_memory=TINY)
    assert isinstance(data.train.x, MappedRows)
    assert "in memory" in str(refusal_of(tr.sweep, data, {"lr": [0.1, 0.01]}, parent=tmp_path))
