"""Failures after a training don't lose it: the folder has what there is.

A command that comes at the same moment is in its folder, or refused.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from tests.many_networks import study_events, sweep_events
from treino.base.errors import TreinoError
from treino.folders.network_source import UserFiles, network_files
from treino.folders.store import RunFolder
from treino.settings.spec import Settings, read_settings
from treino.training.commands import send_stop
from treino.training.loop import JobEvent
from treino.training.stored_results import open_run
from treino.training.train import train_events

NETS = '''
import torch
from torch import nn


class Narrow(nn.Module):
    """It fails on many rows at once, out of training."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        if len(x) > 60 and not self.training:
            raise RuntimeError("too many rows")
        return self.out(x)


class Late(nn.Module):
    """It fails from an update on."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.updates += self.training
        if self.updates > 30:
            raise RuntimeError("enough")
        return self.out(x)
'''


def failing(*_arguments: Any, **_more: Any) -> Any:
    raise ValueError("no such luck\nnor the next line")


PARTS = {
    "answers": "Measuring the training rows",
    "measure": "Measuring the test rows",
    "intervals": "Computing the intervals",
    "baselines": "Fitting the baselines",
    "findings": "Looking for faults",
    "notes_on_answers": "Checking the network's answers",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_run_is_sealed_without_what_fails(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"treino.training.completion.{part}", failing)
    run = tr.fit("wine", epochs=2, lean=True, parent=tmp_path)
    d = tr.open(run.path).document
    assert d["status"] == "finished"
    (note,) = [n for n in d["notes"] if n.startswith(PARTS[part])]
    assert "ValueError: no such luck" in note
    assert "nor the next line" not in note
    measured = part not in ("answers", "measure")
    assert all((d["metrics"][split] is not None) == measured for split in d["rows"])
    assert (d["intervals"]["test"] is None) == (part in ("answers", "intervals"))
    assert bool(d["baseline"]) == (part != "baselines")
    assert len(d["loss"]["train"]) == 2
    assert len(tr.open(run.path).predict("wine")) == 178


@pytest.mark.slow
def test_the_words_of_what_fails_are_printed(treino: Callable[..., Any], nets: Path) -> None:
    said = treino("train", "iris", "--net", f"{nets}:Narrow", "--epochs", 3, "--name", "n")
    assert said.status == 0
    assert "Measuring the training rows failed: The network fails in evaluation mode" in said.out
    assert "treino predict n DATA" in said.out
    d = treino("show", "n", "--json").document
    assert d["metrics"]["train"] is None
    assert set(d["metrics"]["test"]) == {"loss", "accuracy", "f1_macro"}
    for words in ("show n", "report n --trust", "doctor n", "export n --format safetensors"):
        assert treino(*words.split()).status == 0, words
    refused = treino("predict", "n", "iris", "--trust")
    assert refused.status == 2
    assert "too many rows" in refused.err
    assert treino("resume", "n", "--trust").status == 2  # it is over


def test_a_failing_machine_ends_it_and_resume_seals_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> Any:
        raise TreinoError("disk_full", "The disk is full.", status=1)

    with monkeypatch.context() as broken:
        broken.setattr("treino.training.completion.findings", full)
        with pytest.raises(TreinoError, match="disk is full"):
            tr.fit("wine", epochs=2, lean=True, parent=tmp_path, name="w")
    assert tr.open(tmp_path / "w").status == "interrupted"
    (note,) = tr.open(tmp_path / "w").resume().document["notes"]
    assert note.startswith("Probabilities are off by")


def test_a_network_that_fails_on_the_way_leaves_what_was_trained(
    nets: Path, monkeypatch: pytest.MonkeyPatch, treino: Callable[..., Any]
) -> None:
    monkeypatch.setattr("treino.training.train.CHUNK_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0)
    net = f"{nets}:Late"
    settings, files = (
        read_settings({"net": net, "epochs": 20, "name": "late"}),
        network_files(UserFiles(), [net]),
    )
    with pytest.raises(TreinoError, match="fails in update 31") as failed:
        list(train_events("iris", settings, networks=files, checkpoint_seconds=0))
    assert "treino show late" in failed.value.hint
    run = tr.open("late", trust=True)
    assert run.status == "stopped"
    assert len(run.losses) == run.document["steps"] == 30
    assert [n for n in run.document["notes"] if n.startswith("Training failed:") and "Restored step 30." in n]
    assert len(run.predict("iris")) == 150
    again = treino("resume", "late", "--trust")
    assert again.status == 2
    assert "fails in update 31" in again.err
    assert tr.open("late").status == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("train",), ("sweep", "--space", "lr=1e-3|1e-2", "--fresh", 0), ("study", "--batch-sizes", 16)],
)
def test_a_network_that_fails_before_anything_is_kept_says_what_to_type(
    nets: Path, monkeypatch: pytest.MonkeyPatch, treino: Callable[..., Any], words: tuple[object, ...]
) -> None:
    words = (words[0], "iris", *words[1:], "--net", f"{nets}:Late", "--epochs", 9, "--name", "late")
    with monkeypatch.context() as patch:
        for module in ("train", "sweeps.bracket"):
            patch.setattr(f"treino.training.{module}.CHUNK_SECONDS", 0.0)
        for asked in (words, ("resume", "late", "--trust"), words):  # by the same name, over and over
            said = treino(*asked, "--json")
            error = said.document["error"]
            assert said.status == 2
            assert "fails in update 31" in error["message"]
            assert "Nothing was kept yet" in error["hint"]
    assert "treino resume runs/late --net FILE.py:NAME" in error["hint"]
    nets.write_text(nets.read_text().replace("> 30", "> 10**9"))
    assert treino("resume", "late", "--net", f"{nets}:Late").status == 0


# ---- sweeps


@pytest.mark.slow
def test_a_sweep_without_test_rows_is_judged_without_them(treino: Callable[..., Any], nets: Path) -> None:
    said = treino(
        "sweep", "wine", "--space", "lr=1e-3..1e-1:log", "--members", 3, "--epochs", 4, "--test", 0,
        "--name", "s", "--json",
    )  # fmt: skip
    assert said.status == 0
    judge = said.document["judge"]
    assert said.document["best"]["test"] is None
    nothing = "verdict sentence test test_interval baseline p_beats_baseline p_beats_constant"
    assert all(judge[name] is None for name in nothing.split())
    assert judge["certificate"]["same_bits"]
    assert judge["expected_inflation"] >= 0
    assert [n for n in said.document["notes"] if "no test rows" in n and "--test" in n]
    for words in (["show", "s"], ["report", "s"], ["runs"], ["predict", "s", "wine"], ["plot", "s"]):
        assert treino(*words).status == 0, words


@pytest.mark.slow
@pytest.mark.parametrize("part", ["winner_run", "judgement", "row_scores"])
def test_a_sweep_is_sealed_without_what_fails(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, treino: Callable[..., Any]
) -> None:
    place = "sweep" if part == "row_scores" else "judgement"
    monkeypatch.setattr(f"treino.training.sweeps.{place}.{part}", failing)
    sweep = tr.sweep("wine", {"lr": [1e-3, 1e-2]}, epochs=3, fresh=0, name="s")
    d = sweep.document
    assert sweep.status == "finished"
    assert [n for n in d["notes"] if "no such luck" in n]
    assert d["judge"] is None
    assert (d["best"]["run"] is None) == (part == "winner_run")
    assert d["best"]["validation"]["accuracy"] == d["leaderboard"][0]["validation"]["accuracy"]
    assert len(sweep.predict("wine")) == 178
    report = [["report", "s"]] * (part == "judgement")
    for words in (["show", "s"], *report, ["runs"], ["train", "--like", "s:0"]):
        assert treino(*words).status == 0, words


def rare(path: Path) -> Path:
    """Sixty rows, four of which are of the second class."""
    x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    lines = [f"{a:.4f},{b:.4f},{'yes' if i % 15 == 0 else 'no'}" for i, (a, b) in enumerate(x.tolist())]
    path.write_text("\n".join(["a,b,y", *lines]))
    return path


def test_folds_that_a_metric_has_no_value_on_count_nowhere(
    treino: Callable[..., Any], tmp_path: Path
) -> None:
    rare(tmp_path / "rare.csv")
    said = treino("train", "rare.csv", "--target", "y", "--folds", 5, "--epochs", 2, "--name", "f")
    assert said.status == 0
    figures = tr.open("f").figures["test"]
    values = figures["auc"]["values"]
    there = [v for v in values if v is not None]
    assert 0 < len(there) < 5
    assert figures["auc"]["mean"] == pytest.approx(sum(there) / len(there))
    assert None not in figures["accuracy"]["values"]
    assert f"auc is undefined on the test rows of {5 - len(there)} of 5 networks" in said.out
    for words in (["show", "f"], ["report", "f"], ["runs"], ["predict", "f:0", "rare.csv"]):
        assert treino(*words).status == 0, words


# ---- studies


def test_a_study_whose_measuring_fails_is_sealed(nets: Path, treino: Callable[..., Any]) -> None:
    said = treino(
        "study", "iris", "--net", f"{nets}:Narrow", "--validation", 0.6, "--epochs", 2, "--batch-sizes",
        "10,20", "--name", "s", "--json",
    )  # fmt: skip
    assert said.status == 0
    d = said.document
    assert d["status"] == "finished"
    assert [n for n in d["notes"] if "too many rows" in n]
    for row in d["rows"]:
        assert row["accuracy"] == [None, None]
        assert len(row["loss"]) == 2
    for words in (["show", "s"], ["runs"]):
        assert treino(*words).status == 0, words


# ---- commands at the same moment

ROWS = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
SETTINGS = {"epochs": 3, "hidden": (4,), "engine": "batched", "threads": 1}

BEGIN: dict[str, Callable[[Path], Iterator[JobEvent]]] = {
    "run": lambda out: train_events(ROWS, Settings(**SETTINGS, out=str(out))),
    "sweep": lambda out: sweep_events(
        ROWS, {"lr": [0.1, 0.01]}, settings=SETTINGS, out=out, sampler="grid", strategy="none", fresh=0
    ),
    "study": lambda out: study_events(ROWS, batch_sizes=[8], settings=SETTINGS, out=out),
}


def steer(path: Path) -> None:
    """A change of its learning rate; to those that have none, and to some runs, a stop."""
    if RunFolder.open(path, verify=False).kind == "run" and int(path.name) % 2:
        tr.Run.of(open_run(path, verify=False)).set("lr", 0.02)
    else:
        send_stop(RunFolder.open(path, verify=False))


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("kind", BEGIN)
def test_a_training_that_is_steered_as_it_ends_is_whole(tmp_path: Path, kind: str, thorough: bool) -> None:
    for number in range((10 if kind == "sweep" else 30) if thorough else 4):
        path, taken, refused = tmp_path / str(number), itertools.count(), list[str]()
        events = BEGIN[kind](path)
        next(events)

        def send(path: Path = path, taken: Any = taken, refused: list[str] = refused) -> None:
            while not refused:
                try:
                    steer(path)
                    next(taken)
                except TreinoError as error:
                    refused.append(error.rule)

        sender = threading.Thread(target=send)
        sender.start()
        list(events)
        sender.join()
        assert refused == ["not_running"]
        commands = tr.open(path).folder.database.commands()
        assert len(commands) == next(taken)
        assert "new" not in {command.state for command in commands}
