"""A study's rows against the same settings trained alone; its turns, times, modes and figures."""

import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import treino as tr
from tests.conftest import Treino, mnist_folder, needs_mnist, refusal_of
from tests.many_networks import study_events
from treino.engine.training_loop import TrainingLoop
from treino.folders.documents.sweep import NetworkRecord, StudyFacts, StudyResult, StudyRow, StudyRowFacts
from treino.folders.network_source import UserFiles
from treino.inspection.curves import floor_twice
from treino.settings.options import StudyOptions
from treino.training.goals import goals_of
from treino.training.loop import JobProgress
from treino.training.sweeps import study as studies
from treino.training.sweeps.population_training import PopulationTraining
from treino.training.sweeps.study_document import answers
from treino.training.sweeps.study_document import row as row_of
from treino.training.sweeps.study_options import study_plan

QUICK: dict[str, Any] = {"epochs": 3, "threads": 1, "hidden": (8,)}


def test_until_is_read_however_it_is_written() -> None:
    assert goals_of("1.6") == goals_of(1.6) == goals_of("loss=1.6") == {"loss": 1.6}
    both = {"loss": 1.6, "accuracy": 0.9}
    assert goals_of("loss=1.6|accuracy=0.9") == goals_of("1.6, accuracy=0.9") == goals_of(both) == both
    assert goals_of(("accuracy", 0.9)) == goals_of("accuracy = 0.9") == {"accuracy": 0.9}
    assert goals_of(None) == {}


def test_rows_are_the_grid_in_each_mode_and_single_cells() -> None:
    asked = study_plan(
        {"shuffle": "each,off", "as_taught": True},
        StudyOptions(
            batch_sizes="100,5,100",
            compare="normalise",
            cells=["batch_size=5,lr=1e-6,weight_decay=5e-6", {"hidden": "64,32", "batch_size": 5}],
        ),
    )
    own = [dict(cell.own) for cell in asked.cells if cell.mode == "corrected"]
    assert len(own) == 2 * 2 * 2 + 2
    assert [cell.mode for cell in asked.cells] == ["corrected", "as_taught"] * 10
    assert own[-2] == {"batch_size": 5, "lr": 1e-6, "weight_decay": 5e-6}
    assert own[-1]["hidden"] == [64, 32]
    exercise = study_plan({}, StudyOptions())
    assert [cell.own["batch_size"] for cell in exercise.cells] == [100, 20, 5]
    assert [dict(c.own) for c in study_plan({}, StudyOptions(cells=["hidden=64,32,lr=0.1"])).cells] == [
        {"hidden": [64, 32], "lr": 0.1}
    ]


def test_answers_come_from_the_rows_alone() -> None:
    facts = StudyFacts.model_construct(
        modes=("corrected", "as_taught"), varied=("batch_size", "lr"), metric="accuracy",
        classes=("a", "b"), measured_rows=1000, until={"accuracy": 0.9}, seed_list=(0,),
    )  # fmt: skip

    def made(mode: Any, batch: int, lr: float | None, accuracy: list[float], last: float = 9.0) -> StudyRow:
        own = {"batch_size": batch} | ({} if lr is None else {"lr": lr})
        seconds = [1.0, 3.0] if batch == 100 else [2.0, last]
        known = StudyRowFacts(
            batch_size=batch, lr=lr or 1e-3, weight_decay=0, optimizer="adam", shuffle="each", normalise=True,
            mode=mode, own=own, settings=own, fault=(), engine="fast", threads=1, processor_timed=True,
            parameters=9, updates_per_epoch=1000 // batch, command="treino train wine",
            loss_floor=None if mode == "corrected" else floor_twice(2),
        )  # fmt: skip
        worked = [s / (2 if batch == 100 else 1) for s in seconds]
        record = NetworkRecord(
            status="finished", steps=9, loss=[0.7, 0.65], loss_std=[0.1, 0.1], epoch_seconds=seconds,
            epoch_processor_seconds=worked, metrics={"accuracy": accuracy},
        )  # fmt: skip
        return row_of(known, [record], [[]], facts)

    def found(rows: list[StudyRow]) -> list[str]:
        return answers(StudyResult.model_construct(**vars(facts), rows=tuple(rows)))

    rows = [
        made("corrected", 100, None, [0.5, 0.92]),
        made("as_taught", 100, None, [0.5, 0.8]),
        made("corrected", 5, None, [0.91, 0.95]),
        made("as_taught", 5, None, [0.2, 0.1]),
        made("corrected", 5, 1e-6, [0.2, 0.3]),
        made("as_taught", 5, 1e-6, [0.5, 0.8]),
    ]
    pace, corrected, _taught, floor, ends, smaller, mended = found(rows)
    takes = "An epoch takes 2 s with batch 100, 2.5 × that (2 to 3) with batch 5: 10 and 200 updates."
    takes += " Their last epoch's mean training loss: 0.65 and 0.65."
    assert pace == takes + " In processor time, which other programs hardly change: 5 ×."
    mixed = [*rows[:2], made("corrected", 5, None, [0.9, 0.95], last=1.5), *rows[3:]]  # between 0.5 × and 2 ×
    assert "not clearly more or less with batch 5 (more epochs would tell)" in found(mixed)[0]
    for part in ("batch 100 after 2 epochs (4 s)", "batch 5 (lr 1e-6) never", "the quickest is batch 100."):
        assert part in corrected
    assert floor.startswith("With softmax twice the loss can't go below 0.3133 (2 classes)")
    assert ends == "The same settings end at accuracy 0.300 to 0.950 corrected and 0.100 to 0.800 as taught."
    assert "ends at the worse accuracy: 0.100 with batch 5, 0.800" in smaller
    assert "seems to fix batch 5: accuracy ends at 0.800 instead of 0.100. Corrected it does harm:" in mended


@pytest.mark.parametrize(
    "seeds", [pytest.param(1, marks=pytest.mark.proof), pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_row_is_what_its_own_command_trains(treino: Treino, seeds: int) -> None:
    words = ("--batch-sizes", "20,5", "--as-taught", "--fault", "missing_zero_grad", "--compare", "normalise")
    said = treino("study", "wine", *words, "--epochs", 3, "--seeds", seeds, "--threads", 1, "--json")
    rows = said.document["rows"]
    assert len(rows) == 2 * 2 * 3
    for row in [rows[n] for n in ((0, 4, 8, 9) if seeds == 1 else (1, 11))]:
        alone = []
        for seed in range(seeds):
            typed = shlex.split(row["command"])[1:]
            typed[typed.index("--seed") + 1] = str(seed)
            status = treino(*typed).status
            alone.append(tr.open("last"))
            assert status == (4 if alone[-1].status == "diverged" else 0)
        losses = np.array([run.document["loss"]["train"] for run in alone])
        assert row["loss"] == pytest.approx(losses.mean(0).tolist(), rel=1e-6)
        if seeds == 1:
            assert row["loss_std"] == pytest.approx(alone[0].document["loss_std"]["train"], rel=1e-4)
        accuracy = np.array([run.evaluations["validation"]["accuracy"][-1] for run in alone], float)
        assert row["accuracy"][-1] == pytest.approx(accuracy.mean())


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


def test_networks_take_turns_an_epoch_each_and_turn_round(tmp_path: Path) -> None:
    cells = [{"batch_size": 5}, {"batch_size": 20}, {"batch_size": 50, "epochs": 1}]
    ends: list[tuple[int, int]] = []
    seen: dict[str, int] = {}
    for event in study_events("wine", cells=cells, settings=QUICK, out=tmp_path / "s"):
        if isinstance(event, JobProgress):
            now = event.job.bracket.now
            batch = event.job.facts.rows[now.members[0]].batch_size
            if seen.get(str(batch)) != len(now.record.loss):
                seen[str(batch)] = len(now.record.loss)
                ends.append((len(now.record.loss), batch))
            assert 0 <= event.job.done <= 1
    assert ends == [(1, 5), (1, 20), (1, 50), (2, 20), (2, 5), (3, 5), (3, 20)]


def test_a_network_of_a_study_is_a_population_of_one_that_took_turns(tmp_path: Path) -> None:
    cells = ["batch_size=20", "hidden=4,patience=1,dropout=0.2", "optimizer=sgd,lr=1e5"]
    *_events, end = study_events("wine", cells=cells, settings=QUICK, seeds=2, out=tmp_path / "s")
    assert len(end.job.bracket.populations) == 6
    for one in end.job.bracket.populations:
        alone = PopulationTraining(one.members, one.training_data, one.layers, one.config, "loss")
        while alone.behind(alone.training.steps):
            alone.advance(None, alone.training.steps)
        its, here = (each.training.population.snapshot() for each in (one, alone))
        assert torch.equal(its.params, here.params)
        assert one.training.status_P == alone.training.status_P == (one.record.status,)


def test_seconds_are_of_training_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    advance, measured = TrainingLoop.advance, studies.answers

    def slow(self: TrainingLoop, *args: Any) -> Any:
        tick = advance(self, *args)
        clock.now += 1.0
        return replace(tick, epochs=[replace(e, evaluation_seconds=0.25) for e in tick.epochs])

    def looked(*args: Any) -> Any:
        clock.now += 100.0
        return measured(*args)

    monkeypatch.setattr(TrainingLoop, "advance", slow)
    monkeypatch.setattr(studies, "answers", looked)
    now = SimpleNamespace(perf_counter=lambda: clock.now, process_time=lambda: 2 * clock.now)
    monkeypatch.setattr(studies, "time", now)
    cells = ["batch_size=20", "batch_size=20,patience=9"]
    row, patient = tr.study("wine", cells=cells, out=tmp_path / "s", **QUICK).rows
    assert row["seeds"][0]["epoch_seconds"] == [0.75] * 3
    assert row["seconds_per_epoch"] == 0.75
    assert row["processor_seconds_per_epoch"] == 2.0
    assert patient["processor_seconds_per_epoch"] is None  # its training evaluates in between
    assert patient["loss"] == row["loss"]


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
    with pytest.raises(tr.TreinoError, match="the loss is mse") as refused:
        tr.study("diabetes", as_taught=True, out=tmp_path / "t", **QUICK)
    assert "missing_zero_grad" in refused.value.hint


def test_arrays_and_rows_that_are_prepared_already(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(80, 3).numpy(), (torch.randn(80) > 0).long().numpy()
    study = tr.study((x, y), net=tr.mlp(4), compare="normalise", out=tmp_path / "a", epochs=2)
    assert [row["normalise"] for row in study.rows] == [True, False]
    assert study.rows[0]["loss"] != study.rows[1]["loss"]
    loaded = tr.load("iris", normalise=False)
    with pytest.raises(tr.TreinoError, match="prepared already"):
        tr.study(loaded, compare="normalise", out=tmp_path / "l", epochs=2)


def broken_off(
    source: Any, path: Path, after: int, settings: dict[str, Any], networks: Any = None, **rows: Any
) -> tr.Study:
    """A study whose process went away after so many turns."""
    events = study_events(source, settings=settings, out=path, networks=networks, **rows)
    for number, _event in enumerate(events):
        if number == after:
            break
    events.close()
    return tr.open(path)


@pytest.mark.slow
def test_what_broke_off_goes_on_with_rows_and_networks_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treino.training.sweeps.study.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("treino.training.loop.CHECKPOINT_SHARE", 0.0)
    torch.manual_seed(0)
    arrays = torch.randn(80, 3).numpy(), (torch.randn(80) > 0).long().numpy()
    asked: dict[str, Any] = {"settings": QUICK, "batch_sizes": [10, 40], "seeds": 2}
    whole = tr.study(arrays, batch_sizes=[10, 40], seeds=2, out=tmp_path / "whole", **QUICK)
    for after in (0, 1, 6, 9):
        study = broken_off(arrays, tmp_path / f"torn-{after}", after, **asked)
        assert study.status == "interrupted"
        assert {row["status"] for row in study.rows} <= {"interrupted", "finished"}
        again = study.resume()
        assert [row["loss"] for row in again.rows] == [row["loss"] for row in whole.rows]
        assert [row["accuracy"] for row in again.rows] == [row["accuracy"] for row in whole.rows]
    varied = broken_off(arrays, tmp_path / "varied", 4, settings=QUICK, compare="normalise")
    assert "prepared already" in str(refusal_of(varied.resume))
    (tmp_path / "net.py").write_text(
        "from torch import nn\ndef make():\n"
        "    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))\n"
    )
    net = {"net": f"{tmp_path}/net.py:make", "epochs": 2}
    asked = {"settings": net, "batch_sizes": [10, 20], "networks": UserFiles()}
    own = broken_off("iris", tmp_path / "own", 4, **asked)
    assert "executes nothing" in str(refusal_of(own.resume))
    assert own.resume(trust=True).status == "finished"
    assert "nothing to resume" in str(refusal_of(own.resume))


@needs_mnist
@pytest.mark.release
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
    assert "seems to fix batch 5" in said
    assert "the smaller batch ends at the worse accuracy" in said
