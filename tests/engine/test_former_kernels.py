"""Folders of kernels that are no more: they open, and what goes on in them says which kernel trains now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Said
from tests.quick_ends import _quick_ends, bare  # noqa: F401

import treino as tr
from treino.api import open_result
from treino.engine import KERNELS, mlp, train, training_setup
from treino.engine.kernels.batched import BatchedKernel
from treino.engine.kernels.module import ModuleKernel
from treino.engine.kernels.selection import ENGINES, FORMER, KernelChoice
from treino.settings.spec import read_settings
from treino.training.loop import JobEnd, JobEvent
from treino.training.studies.study import study_events, study_resumption
from treino.training.sweeps.sweep import sweep_events, sweep_resumption
from treino.training.train import drain, resuming, train_events

pytestmark = pytest.mark.usefixtures("bare")

SETTINGS: dict[str, Any] = {"epochs": 30, "seed": 3, "hidden": [7], "dropout": 0.2, "patience": 0}


@contextmanager
def an_earlier_version(name: str, kernel: Any = BatchedKernel) -> Iterator[None]:
    """treino as it was when a kernel had this name, and was chosen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(FORMER, name)
        patch.setitem(ENGINES, name, name)
        patch.setitem(KERNELS, name, kernel)
        patch.setattr(training_setup, "select_kernel", lambda *_args, **_sizes: KernelChoice(name, 1))
        yield


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("training.train", "tuning.bracket"):
        monkeypatch.setattr(f"treino.{place}.CHUNK_SECONDS", 0.002)
    for place in ("tuning.sweep", "tuning.study"):
        monkeypatch.setattr(f"treino.{place}.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0.0)


def run_of(name: str, parent: Path, **settings: Any) -> tr.Run:
    with an_earlier_version(name):
        return tr.fit("wine", parent=parent, lean=True, name="old", engine=name, **SETTINGS | settings)


def broken_off(events: Iterator[JobEvent], after: int) -> None:
    for number, event in enumerate(events):
        assert not isinstance(event, JobEnd)
        if number == after:
            break
    events.close()  # type: ignore[attr-defined]


def names_both(sentences: Any, name: str) -> bool:
    return any(name in sentence and "batched" in sentence for sentence in sentences)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", sorted(FORMER))
def test_a_run_goes_on_with_the_kernel_in_its_place(name: str, tmp_path: Path) -> None:
    whole = run_of(name, tmp_path / "whole")
    with an_earlier_version(name):
        settings = read_settings(SETTINGS | {"name": "torn", "engine": name})
        broken_off(train_events("wine", settings, parent=tmp_path, checkpoint_seconds=0), 3)
    torn = open_result(tmp_path / "torn")
    assert torn.status == "interrupted"
    run = drain(resuming(tmp_path / "torn"))
    np.testing.assert_array_equal(run.losses, whole.losses)
    assert names_both(run.document["notes"], name)
    assert run.document["engine"] == name  # which trained its first steps
    assert tr.open(run.path).predict([[0.0] * 13]).shape == (1,)


@pytest.mark.slow
def test_steps_are_played_and_branch_off_as_ever(tmp_path: Path) -> None:
    run = tr.open(run_of("flat-loop", tmp_path, every=10).path)
    moment = run.at(25)
    assert names_both(run.folder.notices, "flat-loop")
    branch = moment.branch(lr=0.01, name="branch")
    assert branch.document["engine"] == "batched"
    assert names_both(branch.document["reasons"], "flat-loop")
    again = run.rewind(25)
    np.testing.assert_array_equal(again.losses, run.losses)
    assert again.document["engine"] == "batched"


@pytest.mark.slow
def test_a_run_like_it_says_who_trains(treino: Callable[..., Said], tmp_path: Path) -> None:
    old = run_of("flat-bmm", tmp_path / "runs")
    said = treino("train", "--like", "old", "--name", "new")
    assert said.status == 0
    assert names_both(said.out.splitlines(), "flat-bmm")
    new = tr.open("new")
    np.testing.assert_array_equal(new.losses, old.losses)
    assert new.document["engine"] == "batched"
    assert names_both(treino("explain", "adam", "old").out.splitlines(), "flat-bmm")


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("asked", [{}, {"engine": "flat-loop"}], ids=["chosen", "asked for"])
def test_a_sweep_goes_on(asked: dict[str, Any], tmp_path: Path) -> None:
    kind: dict[str, Any] = {"members": 3, "fresh": 0, "strategy": "none", "settings": {"epochs": 40} | asked}
    with an_earlier_version("flat-loop", ModuleKernel):  # with other bits
        broken_off(sweep_events("iris", ["lr=1e-3..1e-1:log"], out=tmp_path / "s", **kind), 4)
    *_events, end = sweep_resumption(tmp_path / "s")
    assert isinstance(end, JobEnd)
    assert names_both(end.document["notes"], "flat-loop")
    assert end.document["judge"]["certificate"]["same_bits"] is None
    *_events, end = sweep_resumption(tmp_path / "s", more=3)
    assert isinstance(end, JobEnd)
    assert end.document["members"] == 6


def test_a_study_goes_on(tmp_path: Path) -> None:
    with an_earlier_version("flat-bmm"):
        settings = {"epochs": 4, "engine": "flat-bmm"}
        broken_off(study_events("iris", out=tmp_path / "s", settings=settings, batch_sizes=[10, 20]), 3)
    *_events, end = study_resumption(tmp_path / "s")
    assert isinstance(end, JobEnd)
    assert names_both(end.job.folder.notices, "flat-bmm")
    assert {row["engine"] for row in tr.open(tmp_path / "s").rows} == {"flat-bmm"}


def test_a_state_is_loaded_by_the_kernel_in_its_place_alone() -> None:
    data, arguments = (np.eye(6, dtype=np.float32), np.arange(6) % 2), {"steps": 4, "every": 2}
    with an_earlier_version("flat-loop"):
        old = train(data, mlp(3), engine="flat-loop", **arguments)
        old.advance(None)
        saved = old.save()
    for _tick in old:
        pass
    new = train(data, mlp(3), engine="batched", **arguments)
    new.load(*saved)
    for _tick in new:
        pass
    assert new.state.population.params.equal(old.state.population.params)
    with pytest.raises(tr.TreinoError, match="engine"):
        train(data, mlp(3), engine="module", **arguments).load(*saved)
