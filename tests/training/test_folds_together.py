"""All folds as one population: each has the network it would have alone, and answers rows it never saw."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.model_selection import KFold, StratifiedKFold

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.data import sources
from treino.fit_events import FitRequest, fit_events
from treino.folders.stored_run import StoredRun
from treino.training.loop import JobProgress
from treino.training.sweeps.sweep import sweep_resumption

pytestmark = pytest.mark.usefixtures("bare")


def numbers(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    x = r.normal(size=(rows, 3))
    return pd.DataFrame(x, columns=list("abc")).assign(y=x[:, 0] - x[:, 1] ** 2 + r.normal(0, 0.1, rows))


def same_bits(one: StoredRun, other: StoredRun) -> bool:
    mine, its = one.module.state_dict(), other.module.state_dict()
    return mine.keys() == its.keys() and all(tensor.equal(its[name]) for name, tensor in mine.items())


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("data", "settings", "populations"),
    [
        ("iris", {"epochs": 4, "lr": 0.01}, 1),  # of other numbers of rows
        ("diabetes", {"epochs": 4, "optimizer": "sgd", "batch_size": "full"}, 1),
        ("wine", {"epochs": 3, "recipe": "table", "ensemble": 4, "inputs": "plain"}, 1),
        ("diabetes", {"epochs": 3, "ensemble": 3, "clip_target": True}, 1),
        ("diabetes", {"epochs": 2, "recipe": "table", "ensemble": 2}, None),  # of other widths
    ],
)
def test_each_fold_is_what_it_would_be_alone(
    data: str, settings: dict[str, Any], populations: int | None, tmp_path: Path
) -> None:
    sweep = tr.fit(data, folds=4, out=tmp_path / "s", **settings)
    assert populations in (None, sweep.frame["group"].nunique())
    answers, (engine,) = sweep.out_of_fold(), set(sweep.frame["engine"])
    for k in range(4):
        alone = tr.fit(data, fold=f"{k + 1}/4", engine=engine, parent=tmp_path, lean=True, **settings)
        assert same_bits(sweep.member(k), alone)
        for split in ("validation", "test"):
            for name, value in alone.metrics[split].items():
                assert sweep.figures[split][name]["values"][k] == pytest.approx(value, rel=1e-4, abs=1e-6)
        test = alone.data.test
        there = torch.isin(answers.row, test.index)
        assert answers.fold[there].eq(k + 1).all()
        with torch.no_grad():
            output = alone.module(test.x)[test.index.argsort()].double()
        if not alone.spec.classes:
            output = output * alone.spec.target_scale + alone.spec.target_mean
        assert torch.allclose(answers.output[there], output, rtol=1e-4, atol=1e-4)


def test_the_curve_of_a_fold_of_ensembles_is_what_it_would_be_alone_to_its_last_epoch(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"ensemble": 2, "epochs": 40, "patience": 2, "lr": 0.03, "recipe": "plain"}
    tr.fit("iris", folds=3, out=tmp_path / "s", **settings)
    curves = load_file(tmp_path / "s/curves/0-0.safetensors")
    for k in range(3):
        alone = tr.fit("iris", fold=f"{k + 1}/3", parent=tmp_path, lean=True, **settings)
        measured = [loss for loss in alone.evaluations["validation"]["loss"] if loss is not None]
        figures = curves["figure"][:, k]
        assert figures[~figures.isnan()].tolist() == pytest.approx(measured)


def test_a_file_is_read_twice_however_many_folds_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers().to_csv(tmp_path / "t.csv", index=False)
    reads: list[str] = []
    read = sources.read_file
    monkeypatch.setattr(sources, "read_file", lambda path, *how: (reads.append(path), read(path, *how))[1])
    tr.fit(str(tmp_path / "t.csv"), target="y", folds=6, epochs=1, out=tmp_path / "s")
    assert len(reads) == 2  # to choose the recipe, and for all folds


@pytest.mark.parametrize(("data", "kind"), [("iris", StratifiedKFold), ("diabetes", KFold)])
def test_every_row_is_answered_by_the_fold_that_scikit_learn_puts_it_in(
    data: str, kind: type, tmp_path: Path
) -> None:
    answers = tr.fit(data, folds=3, epochs=1, hidden=[4], out=tmp_path / "s").out_of_fold()
    target = answers.target.flatten().numpy()
    assert answers.row.tolist() == list(range(len(target)))
    folds = np.zeros(len(target), dtype=int)
    for k, (_train, test) in enumerate(kind(3, shuffle=True, random_state=0).split(target, target)):
        folds[test] = k + 1
    assert answers.fold.tolist() == folds.tolist()
    assert list(answers.frame["fold"]) == folds.tolist()


def test_the_targets_of_a_fold_do_not_change_what_is_predicted_for_it(tmp_path: Path) -> None:
    table = numbers()
    table.to_csv(tmp_path / "one.csv", index=False)
    settings: dict[str, Any] = {"target": "y", "folds": 3, "epochs": 3, "ensemble": 2}
    first = tr.fit(str(tmp_path / "one.csv"), out=tmp_path / "f", **settings).out_of_fold()
    rows = first.row[first.fold == 2].numpy()
    table.loc[rows, "y"] = table.loc[np.random.default_rng(1).permutation(rows), "y"].to_numpy() * 1.5
    table.to_csv(tmp_path / "two.csv", index=False)
    second = tr.fit(str(tmp_path / "two.csv"), out=tmp_path / "g", **settings).out_of_fold()
    assert first.fold.equal(second.fold)
    assert first.output[first.fold == 2].equal(second.output[first.fold == 2])
    assert not first.output[first.fold == 1].equal(second.output[first.fold == 1])


def test_new_rows_are_answered_by_the_mean_of_all_folds(tmp_path: Path) -> None:
    numbers().to_csv(tmp_path / "t.csv", index=False)
    sweep = tr.fit(str(tmp_path / "t.csv"), target="y", folds=3, epochs=3, out=tmp_path / "s", ensemble=2)
    new = numbers(7, seed=3)
    each = [sweep.member(k).predict(new)["prediction"].to_numpy() for k in range(3)]
    assert sweep.predict(new)["prediction"].to_numpy() == pytest.approx(np.mean(each, 0), rel=1e-4)


@pytest.mark.slow
def test_folds_of_ensembles_go_on_after_an_interruption(tmp_path: Path) -> None:
    source = numbers().assign(kind=lambda t: np.where(t["y"] > 0, "up", "down")).drop(columns="y")
    settings = {"epochs": 40, "ensemble": 3, "target": "kind"}
    whole = tr.fit(source, folds=3, until="accuracy=0.9", out=tmp_path / "w", recipe="plain", **settings)
    own = {**settings, "recipe": "plain", "out": str(tmp_path / "t")}
    events, _rates = fit_events(FitRequest(source, own, None, folds=3, until="accuracy=0.9"))
    while not isinstance(next(events), JobProgress):
        pass
    events.close()
    document = list(sweep_resumption(tmp_path / "t"))[-1].document
    assert document["figures"] == whole.figures
    assert document["reached"] == whole.document["reached"]
    assert tr.open(tmp_path / "t").out_of_fold().output.equal(whole.out_of_fold().output)


def test_out_of_fold_predictions_are_written_beside_the_rows(
    treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = numbers(40).assign(kind=lambda t: np.where(t["y"] > 0, "up", "down")).drop(columns="y")
    table.loc[3, "kind"] = None  # left out
    table.to_csv("t.csv", index=False)
    words = ("t.csv", "--target", "kind", "--folds", "4", "--epochs", "2", "--ensemble", "2", "--name", "f")
    assert treino("train", *words, "--to", "out.csv").status == 0
    with Path("out.csv").open() as file:
        lines = list(csv.DictReader(file))
    answer = ["fold", "prediction", "probability_down", "probability_up"]
    assert list(lines[0]) == ["a", "b", "c", "kind", *answer]
    assert len(lines) == 40
    assert lines[3]["prediction"] == lines[3]["fold"] == ""
    answers = tr.open("f").out_of_fold()
    for p in answers.predictions:
        assert (lines[p.row]["prediction"], lines[p.row]["fold"]) == (p.value, str(p.fold))
        assert float(lines[p.row]["probability_up"]) == p.probabilities["up"]
    assert treino("train", *words[:3], "--to", "other.csv").status == 2
    assert treino("train", *words[:-2], "--to", "out.csv").status == 2  # it is there already


def test_a_class_that_a_fold_lacks_is_said(tmp_path: Path) -> None:
    table = numbers(40).assign(kind=lambda t: np.where(t["y"] > 0, "up", "down")).drop(columns="y")
    table.loc[0, "kind"] = "once"
    table.to_csv(tmp_path / "t.csv", index=False)
    sweep = tr.fit(str(tmp_path / "t.csv"), target="kind", folds=3, epochs=1, out=tmp_path / "s")
    fold = int(sweep.out_of_fold().fold[0])
    assert any(f"fold {fold}/3" in note and note.endswith("once.") for note in sweep.document["notes"])
    values = sweep.figures["test"]["f1_macro"]["values"]
    assert all(value is not None and np.isfinite(value) for value in values)


def test_what_has_no_folds_has_no_out_of_fold_predictions(tmp_path: Path) -> None:
    sweep = tr.fit("iris", seeds=2, epochs=1, hidden=[2], out=tmp_path / "s")
    assert "no folds" in str(refusal_of(sweep.out_of_fold))


@pytest.mark.slow
def test_each_fold_of_rows_in_memory_is_opened_with_its_own(tmp_path: Path) -> None:
    numbers().to_csv(tmp_path / "t.csv", index=False)
    settings: dict[str, Any] = {"target": "y", "folds": 3, "epochs": 2}
    kept = tr.fit(pd.read_csv(tmp_path / "t.csv"), out=tmp_path / "memory", **settings)
    file = tr.fit(str(tmp_path / "t.csv"), out=tmp_path / "file", **settings)
    assert kept.out_of_fold().output.equal(file.out_of_fold().output)
    for k in range(3):
        assert kept.member(k).data.test.x.equal(file.member(k).data.test.x)
        assert same_bits(kept.member(k), file.member(k))
    new = numbers(5, seed=2)
    assert kept.predict(new)["prediction"].tolist() == file.predict(new)["prediction"].tolist()
