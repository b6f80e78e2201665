"""A training on rows with weights equals that on repeated rows, and whatever is made of it weighs rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import metrics as sk

import treino as tr
from tests.data.test_row_weights import frame, repeated

WHOLE = {"recipe": "plain", "batch_size": "full", "epochs": 25, "patience": 0, "split_column": "part"}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def table(classes: bool) -> pd.DataFrame:
    data = frame(rows=240)
    if classes:
        data["y"] = np.where(data.y > data.y.median(), "high", "low")
    return data


@pytest.fixture(scope="module", params=[False, True], ids=["numbers", "classes"])
def pair(request: pytest.FixtureRequest, parent: Path) -> tuple[tr.Run, tr.Run]:
    """The run on weighted rows, and that on the same rows repeated."""
    data = table(request.param)
    few = tr.fit(data, target="y", row_weights="w", parent=parent, **WHOLE)
    return few, tr.fit(repeated(data), target="y", parent=parent, **WHOLE)


def test_a_whole_weight_trains_as_so_many_rows(pair: tuple[tr.Run, tr.Run]) -> None:
    few, many = pair
    np.testing.assert_allclose(few.losses, many.losses, rtol=1e-4)
    for a, b in zip(few.module.parameters(), many.module.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    for split in ("train", "validation", "test"):
        assert few.metrics[split] == pytest.approx(many.metrics[split], rel=1e-4)
    for name in set(few.document["baseline"]) - {"trees"}:  # whose bins are of rows, whatever they weigh
        assert few.document["baseline"][name] == pytest.approx(many.document["baseline"][name], rel=1e-4)


def test_its_figures_are_scikit_learns_of_its_answers(pair: tuple[tr.Run, tr.Run]) -> None:
    run = pair[0]
    rows, weight = run.data.test, run.data.test.weight.double()
    output = run.module(rows.x).detach().double()
    if run.data.classes:
        wanted = {
            "accuracy": sk.accuracy_score(rows.y, output.argmax(1), sample_weight=weight),
            "auc": sk.roc_auc_score(rows.y, output[:, 1] - output[:, 0], sample_weight=weight),
        }
    else:
        wanted = {"r2": sk.r2_score(rows.y, output, sample_weight=weight)}
    assert {name: run.metrics["test"][name] for name in wanted} == pytest.approx(wanted, rel=1e-6)
    low, high = run.document["intervals"]["test"]["loss"]
    assert low < run.metrics["test"]["loss"] < high


def test_its_rows_and_weights_are_kept_with_it_and_predicted_with(pair: tuple[tr.Run, tr.Run]) -> None:
    run = pair[0]
    again = tr.open(run.path)
    for split, rows in run.data.splits.items():
        assert torch.equal(again.data.splits[split].weight, rows.weight)
    assert again.preparation.row_weights == "w"
    assert any("Rows count as 'w' says" in note for note in again.document["notes"])


@pytest.mark.slow
def test_the_command_line_weighs_rows_from_training_to_prediction(
    treino: Any,
) -> None:
    data = table(True)
    data.to_csv("t.csv", index=False)

    def answer(*words: str) -> dict[str, Any]:
        said = treino(*words, "--json")
        assert said.status == 0, said.err
        return said.document

    asked = ["t.csv", "--target", "y", "--row-weights", "w"]
    described = answer("data", *asked)["row_weights"]
    assert described["total"] == data.w.sum()
    assert described["rows"] == (data.w > 0).sum()
    assert described["effective"] == pytest.approx(data.w.sum() ** 2 / (data.w**2).sum())
    short = ["--split-column", "part", "--epochs", "4", "--recipe", "plain", "--threshold", "auto"]
    trained = answer("train", *asked, *short, "--name", "first")
    assert answer("show", "first")["metrics"] == trained["metrics"]
    held = data[(data.part == "test") & (data.w > 0)].drop(columns="part")
    held.to_csv("held.csv", index=False)
    told = answer("predict", "first", "held.csv")
    assert told["metrics"] == pytest.approx(trained["metrics"]["test"])
    held.drop(columns="w").to_csv("bare.csv", index=False)
    bare = answer("predict", "first", "bare.csv")
    assert bare["metrics"] != pytest.approx(trained["metrics"]["test"])
    assert any("All rows count alike" in note for note in bare["notes"])
    again = answer("train", "--like", "first", "--name", "second")
    assert again["metrics"] == trained["metrics"]
    swept = answer("sweep", *asked, "--space", "lr=0.001|0.01", "--epochs", "2", "--fresh", "2")
    assert swept["judge"]["test"] is not None
    refused = treino("data", *asked[:-1], "W")
    assert refused.status == 2
    assert "Did you mean 'w'?" in refused.err


def test_a_heavy_row_is_warned_of(tmp_path: Path, treino: Any) -> None:
    data = table(False)
    data["w"] = 1
    data.loc[11, "w"] = 1000
    data.to_csv(tmp_path / "t.csv", index=False)
    said = treino("data", tmp_path / "t.csv", "--target", "y", "--row-weights", "w")
    assert "One row has 81 % of all weight in 'w', in line 13" in said.out
