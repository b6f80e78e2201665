"""Folders made by an older version open, resume and replay; ``older_folders.py`` made them."""

import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from tests.workflows.older_folders import NAMES, RUN
from treino.errors import TreinoError
from treino.records.access import Access

ARCHIVE = Path(__file__).with_name("older.tar.gz")


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("older")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(parent, filter="data")
    return parent


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    """The older ``whole`` trained anew by this version."""
    found = tr.fit("wine", lean=True, parent=tmp_path_factory.mktemp("again"), **RUN)
    assert isinstance(found, tr.Run)
    return found


def same(old: Any, new: Any, exact: bool) -> None:
    """exact: whether this machine computes the bits that the archive's machine did."""
    if exact:
        np.testing.assert_array_equal(old, new)
    else:
        np.testing.assert_allclose(old, new, rtol=1e-3, atol=1e-4)


def test_every_folder_opens_with_its_figures(older: Path) -> None:
    assert {run.name for run in tr.runs(older)} == set(NAMES)
    for name in ("whole", "rewound"):
        run = tr.open(name, parent=older)
        assert run.status == "finished"
        rows = run.data.test
        accuracy = (run.module(rows.x).argmax(1) == rows.y).float().mean().item()
        assert accuracy == pytest.approx(run.metrics["test"]["accuracy"])
    sweep, study = tr.open("sweep", parent=older), tr.open("study", parent=older)
    assert sweep.judge is not None
    assert sweep.best.predict("iris").shape == (150,)
    assert len(sweep.frame["member"].unique()) == 8
    assert [row["batch_size"] for row in study.rows] == [50, 20]


def test_what_is_over_has_its_result_with_types(older: Path) -> None:
    for name in ("whole", "rewound", "sweep"):
        found = tr.open(name, parent=older)
        assert not isinstance(found, tr.Study)
        assert found.result is not None
        written = found.result.model_dump(mode="json", by_alias=True, exclude_unset=True)
        place = {"run": found.name, "sweep": found.name, "path": str(found.path)}
        assert found.document == written | {k: v for k, v in place.items() if k in found.document}
    for name in ("cut", "sweep-cut"):
        assert tr.open(name, parent=older).result is None
    assert tr.open("sweep", parent=older).member(0).result is None
    cut = tr.open("cut", parent=older)
    assert cut.steps == cut.document["steps"] == len(cut.losses) > 0
    assert cut.facts == cut.spec.facts


def test_a_run_replays_to_the_bits_that_it_kept(older: Path, again: tr.Run) -> None:
    run = tr.open("whole", parent=older)
    exact = run.losses.tobytes() == again.losses.tobytes()
    same(run.losses, again.losses, exact)
    for step in (0, 35, len(run.losses)):
        then, now = run.at(step).net.state_dict(), again.at(step).net.state_dict()
        for name, tensor in then.items():
            same(tensor, now[name], exact)
    branch = run.at(40).branch(lr=1e-3, name="branch")
    assert branch.losses[:40].tobytes() == run.losses[:40].tobytes()


def test_a_rewound_run_replays_both_of_its_segments(older: Path) -> None:
    run = tr.open("rewound", parent=older)
    assert [segment.origin for segment in run.spec.segments] == [None, (0, 30)]
    assert run.at(29).segment == 0
    assert run.at(31).hp["lr"] == 0.02
    assert run.at(len(run.losses)).net is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cut", "sweep-cut", "study-cut"])
def test_what_was_killed_goes_on(name: str, older: Path, tmp_path: Path) -> None:
    shutil.copytree(older / name, tmp_path / name)
    cut = tr.open(name, parent=tmp_path)
    before = cut.losses.copy() if name == "cut" else np.zeros(0)
    assert cut.status == "interrupted"
    over = cut.resume()
    assert over.status == "finished"
    if name == "cut":
        assert len(before) > 100
        assert over.losses[: len(before)].tobytes() == before.tobytes()
        assert torch.isfinite(torch.tensor(over.losses)).all()
    elif name == "sweep-cut":
        assert over.document["members"] == 8
        assert over.judge is not None
    else:
        assert [row["epochs"] for row in over.rows] == [1200, 1200]


@pytest.mark.parametrize("name", ["cut", "sweep-cut", "study-cut"])
def test_what_was_said_on_opening_holds_on_resuming(
    name: str, older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the data's file is now, and whether copies of networks may run."""
    heard: list[Access] = []

    def stop_here(_folder: Any, access: Access, **_more: Any) -> None:
        heard.append(access)
        raise TreinoError("stop", "stopped here")

    monkeypatch.setattr("treino.api.results.resume_events", stop_here)
    with pytest.raises(TreinoError, match="stopped here"):
        tr.open(name, parent=older, data="moved.csv", trust=True).resume()
    assert (heard[0].data_file, heard[0].trust) == ("moved.csv", True)
