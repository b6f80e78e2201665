"""A study's rows against the same settings trained alone; its turns, its clock, its modes, its figures."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from tests.conftest import Said, mnist_folder, needs_mnist
from treino.engine.training import Training
from treino.workflows.study import track
from treino.workflows.study.asked import asked_of, until_of
from treino.workflows.study.drive import Advanced, studying

QUICK: dict[str, Any] = {"epochs": 3, "threads": 1, "hidden": (8,)}


def test_until_is_read_however_it_is_written() -> None:
    assert until_of("1.6") == until_of(1.6) == until_of("loss=1.6") == {"loss": 1.6}
    both = {"loss": 1.6, "accuracy": 0.9}
    assert until_of("loss=1.6|accuracy=0.9") == until_of("1.6, accuracy=0.9") == until_of(both) == both
    assert until_of(("accuracy", 0.9)) == until_of("accuracy = 0.9") == {"accuracy": 0.9}
    assert until_of(None) == {}


def test_rows_are_the_grid_in_each_mode_and_single_cells() -> None:
    asked = asked_of(
        {"shuffle": "each,off", "as_taught": True},
        batch_sizes="100,5,100",
        compare="normalise",
        cells=[
            "batch_size=5,lr=1e-6,weight_decay=5e-6",
            {"hidden": "64,32", "batch_size": 5},
        ],
    )
    own = [dict(cell.own) for cell in asked.cells if cell.mode == "corrected"]
    assert len(own) == 2 * 2 * 2 + 2
    assert [cell.mode for cell in asked.cells] == ["corrected", "as_taught"] * 10
    assert own[-2] == {"batch_size": 5, "lr": 1e-6, "weight_decay": 5e-6}
    assert own[-1]["hidden"] == (64, 32)
    assert [c.own["batch_size"] for c in asked_of({}).cells] == [100, 20, 5]  # the exercise
    assert [dict(c.own) for c in asked_of({}, cells=["hidden=64,32,lr=0.1"]).cells] == [
        {"hidden": (64, 32), "lr": 0.1}
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 2])
def test_a_row_is_what_its_own_command_trains(
    treino: Callable[..., Said], seeds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.workflows.finish.draw", lambda *_: [])
    words = ("--batch-sizes", "20,5", "--as-taught", "--fault", "missing_zero_grad", "--compare", "normalise")
    said = treino("study", "wine", *words, "--epochs", 3, "--seeds", seeds, "--threads", 1, "--json")
    rows = said.document["rows"]
    assert len(rows) == 2 * 2 * 3
    for row in [rows[n] for n in ((0, 4, 8, 9) if seeds == 1 else (1, 11))]:
        alone = []
        for seed in range(seeds):
            typed = shlex.split(row["command"])[1:]
            typed[typed.index("--seed") + 1] = str(seed)
            assert treino(*typed).status == 0
            alone.append(tr.open("last"))
        losses = np.array([run.document["loss"]["train"] for run in alone])
        assert row["loss"] == pytest.approx(losses.mean(0).tolist(), rel=1e-6)
        if seeds == 1:
            assert row["loss_std"] == pytest.approx(alone[0].document["loss_std"]["train"], rel=1e-4)
        accuracy = np.array([run.evaluations["validation"]["accuracy"][-1] for run in alone], float)
        assert row["accuracy"][-1] == pytest.approx(accuracy.mean())


@pytest.mark.slow
def test_rows_count_epochs_from_one_and_never_is_null(tmp_path: Path) -> None:
    study = tr.study(
        "wine",
        batch_sizes=[5, "full"],
        until={"loss": 0.5, "accuracy": 0.9},
        seeds=3,
        out=tmp_path / "s",
        **QUICK,
    )
    small, full = study.rows
    for row in (small, full):
        for name, goal in (("loss", lambda v: v < 0.5), ("accuracy", lambda v: v >= 0.9)):
            each = [next((n for n, v in enumerate(s[name], 1) if goal(v)), None) for s in row["seeds"]]
            assert each == [s[f"epochs_to_{name}"] for s in row["seeds"]]
            there = sorted(e for e in each if e is not None)
            assert row[f"epochs_to_{name}"] == (there[1] if len(there) > 1 else None)
        assert row["timed_epochs"] == 3 * 2  # the first of each is a warm-up
        assert row["seconds_interval"][0] <= row["seconds_per_epoch"] <= row["seconds_interval"][1]
    assert full["epochs_to_loss"] is None
    assert full["seconds_to_loss"] is None
    assert small["accuracy_interval"][0] <= small["accuracy"][-1] <= small["accuracy_interval"][1]
    frame = study.frame
    assert len(frame) == 2 * 3
    assert frame[frame.batch_size == 5].accuracy.tolist() == small["accuracy"]
    assert "never" in study._repr_html_()
    assert "<script" not in study._repr_html_()
    assert study.answers
    assert isinstance(tr.open(tmp_path / "s"), tr.Study)


@pytest.mark.slow
def test_networks_take_turns_an_epoch_each_and_turn_round(tmp_path: Path) -> None:
    cells = [{"batch_size": 5}, {"batch_size": 20}, {"batch_size": 50, "epochs": 1}]
    ends: list[tuple[int, int]] = []
    seen: dict[str, int] = {}
    for event in studying("wine", settings=QUICK, cells=cells, out=tmp_path / "s"):
        if isinstance(event, Advanced):
            batch = event.row["batch_size"]
            if seen.get(str(batch)) != event.epoch:
                seen[str(batch)] = event.epoch
                ends.append((event.epoch, batch))
            assert 0 <= event.done <= 1
    assert ends == [(1, 5), (1, 20), (1, 50), (2, 20), (2, 5), (3, 5), (3, 20)]


@pytest.mark.slow
def test_seconds_are_of_training_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    advance, measured = Training.advance, track.answers

    def slow(self: Training, *args: Any) -> Any:
        tick = advance(self, *args)
        clock.now += 1.0
        return replace(tick, epochs=[replace(e, evaluation_seconds=0.25) for e in tick.epochs])

    def looked(*args: Any) -> Any:
        clock.now += 100.0
        return measured(*args)

    monkeypatch.setattr(Training, "advance", slow)
    monkeypatch.setattr(track, "answers", looked)
    monkeypatch.setattr(track, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    (row,) = tr.study("wine", cells=["batch_size=20"], out=tmp_path / "s", **QUICK).rows
    assert row["seeds"][0]["epoch_seconds"] == [0.75] * 3
    assert row["seconds_per_epoch"] == 0.75


@pytest.mark.slow
def test_a_regression_a_divergence_and_rows_of_training_alone(tmp_path: Path) -> None:
    cells = ["lr=0.01", "optimizer=sgd,lr=1e5"]
    study = tr.study("diabetes", cells=cells, until="r2=0.2,rmse=60", out=tmp_path / "r", **QUICK)
    good, lost = study.rows
    assert study.status == "finished"
    assert good["status"] == "finished"
    assert lost["status"] == "diverged"
    assert lost["loss"][-1] is None or lost["loss"][-1] > 10
    assert {"r2", "rmse", "mae", "epochs_to_r2", "epochs_to_rmse"} <= set(good)
    assert good["epochs_to_loss"] is None
    alone = tr.study(
        "wine", cells=["optimizer=sgd,lr=1e6"], out=tmp_path / "d", **(QUICK | {"validation": 0})
    )
    assert alone.status == "diverged"
    assert alone.document["measured_on"] == "train"
    assert any("training rows" in note for note in alone.document["notes"])


@pytest.mark.slow
def test_arrays_frames_and_networks_of_ones_own(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(80, 3).numpy(), (torch.randn(80) > 0).long().numpy()
    study = tr.study((x, y), net=tr.mlp(4), compare="normalise", out=tmp_path / "a", epochs=2)
    assert [row["normalise"] for row in study.rows] == [True, False]
    assert study.rows[0]["loss"] != study.rows[1]["loss"]
    loaded = tr.load("iris")
    with pytest.raises(tr.TreinoError, match="prepared already"):
        tr.study(loaded, compare="normalise", out=tmp_path / "l", epochs=2)
    assert len(tr.study(loaded, batch_sizes=[10, 20], out=tmp_path / "l", epochs=2).rows) == 2
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef make(inputs=4):\n"
        "    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))\n"
    )
    own = tr.study("iris", f"{tmp_path}/net.py:make", batch_sizes=[10, 20], out=tmp_path / "n", epochs=2)
    assert own.rows[0]["parameters"] == 43


@pytest.mark.slow
@needs_mnist
def test_the_exercise_s_conclusions_are_artefacts(tmp_path: Path) -> None:
    assert mnist_folder()
    data = tr.load("mnist")
    x, y = data.train.x[:12_000].numpy(), data.train.y[:12_000].numpy()
    study = tr.study(
        (x, y), tr.mlp(128, 128), batch_sizes=[100, 5], until="accuracy=0.85", as_taught=True, epochs=3,
        cells=[{"batch_size": 5, "lr": 1e-6, "weight_decay": 5e-6}], lr=1e-4, weight_decay=5e-4, test=0,
        normalise=False, out=tmp_path / "s", threads=1,
    )  # fmt: skip
    ends = {(r["mode"], r["batch_size"], r["lr"]): r["accuracy"][-1] for r in study.rows}
    # the small batch is the worse one, and a small rate mends it: as taught, and only there
    assert ends["as_taught", 5, 1e-4] < ends["as_taught", 100, 1e-4]
    assert ends["as_taught", 5, 1e-6] > ends["as_taught", 5, 1e-4]
    assert ends["corrected", 5, 1e-4] > ends["corrected", 100, 1e-4]
    assert ends["corrected", 5, 1e-6] < ends["corrected", 5, 1e-4]
    taught = [r for r in study.rows if r["mode"] == "as_taught"]
    assert min(v for r in taught for v in r["loss"]) > 1.4612
    assert all(round(r["loss_floor"], 4) == 1.4612 for r in taught)
    said = " ".join(study.answers)
    assert "mends batch 5" in said
    assert "the smaller batch ends at the worse accuracy" in said
