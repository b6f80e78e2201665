"""One network of several targets, from a table to predictions, figures, exports and estimators."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, r2_score, root_mean_squared_error
from sklearn.utils.estimator_checks import check_classifier_multioutput, check_regressor_multioutput

import treino as tr
from tests.conftest import Treino, refusal_of
from tests.reports.export_cases import said as printed
from treino.reports.export.formats import exported
from treino.sklearn import Classifier, Regressor

NUMBERS, CLASSES = ("length", "weight"), ("colour", "big")


def table(rows: int = 240, seed: int = 3) -> pd.DataFrame:
    """Two columns to learn from, two numbers of very different sizes, two columns of classes."""
    r = np.random.default_rng(seed)
    u, v = r.normal(size=rows), r.normal(size=rows)
    return pd.DataFrame(
        {
            "u": u,
            "v": v,
            "length": 2 * u + v + r.normal(0, 0.1, rows),
            "weight": 100 * (u - v) + r.normal(0, 9, rows),
            "colour": np.where(u > 0.5, "red", np.where(u < -0.5, "blue", "green")),
            "big": np.where(v + r.normal(0, 0.2, rows) > 0, "yes", "no"),
        }
    )


def trained(folder: Path, targets: tuple[str, ...], **settings: object) -> tr.Run:
    frame = table().drop(columns=list(CLASSES if targets == NUMBERS else NUMBERS))
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    defaults = {"epochs": 6, "ensemble": 3, "name": "several"}
    return tr.fit(str(path), target=list(targets), parent=folder / "runs", **(defaults | settings))


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    return trained(tmp_path_factory.mktemp("numbers"), NUMBERS)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    return trained(tmp_path_factory.mktemp("classes"), CLASSES)


def held_back(run: tr.Run) -> pd.DataFrame:
    """The test rows as they are in the file."""
    return pd.read_csv(run.path.parent.parent / "table.csv").iloc[run.data.test.index.numpy()]


def test_the_figures_of_numbers_are_scikit_learns(numbers: tr.Run) -> None:
    rows = held_back(numbers)
    said = numbers.predict(rows)
    own = rows[list(NUMBERS)], said[[f"prediction_{name}" for name in NUMBERS]].to_numpy()
    test = numbers.document["metrics"]["test"]
    assert test["r2"] == pytest.approx(r2_score(*own), abs=1e-5)
    assert test.keys() == {"loss", "r2"}  # a mean of errors in two units is no figure
    losses = [numbers.document["targets"][name]["metrics"]["test"]["loss"] for name in NUMBERS]
    assert test["loss"] == pytest.approx(np.mean(losses))
    raw = root_mean_squared_error(*own, multioutput="raw_values")
    for name, rmse in zip(NUMBERS, raw, strict=True):
        one = numbers.document["targets"][name]
        assert one["metrics"]["test"]["rmse"] == pytest.approx(rmse, rel=1e-4)
        assert one["intervals"]["test"]["rmse"][0] < rmse < one["intervals"]["test"]["rmse"][1]
        assert one["baseline"]["mean"]["rmse"] > rmse
        assert (said[f"low_{name}"] < said[f"prediction_{name}"]).all()
    span = {name: float(table()[name].abs().max()) for name in NUMBERS}
    far = numbers.predict(pd.DataFrame({"u": [1e6, -1e6], "v": [-1e6, 1e6]}))
    assert all(far[f"prediction_{name}"].abs().max() <= 1.0001 * span[name] for name in NUMBERS)


def test_the_figures_of_classes_are_scikit_learns(classes: tr.Run) -> None:
    rows = held_back(classes)
    said = classes.predict(rows)
    scores = [accuracy_score(rows[name], said[f"prediction_{name}"]) for name in CLASSES]
    assert classes.document["metrics"]["test"]["accuracy"] == pytest.approx(np.mean(scores))
    for name, score in zip(CLASSES, scores, strict=True):
        one = classes.document["targets"][name]
        assert one["metrics"]["test"]["accuracy"] == pytest.approx(score)
        shares = said[[c for c in said.columns if c.startswith(f"probability_{name}_")]]
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        assert one["calibration"]["rows"] == len(rows)
    assert "auc" in classes.document["targets"]["big"]["metrics"]["test"]
    assert "auc" not in classes.document["metrics"]["test"]


def test_a_run_opened_again_answers_alike(numbers: tr.Run, classes: tr.Run) -> None:
    for run, name in ((numbers, "weight"), (classes, "big")):
        again = tr.open(run.path)
        x = again.data.test.x
        torch.testing.assert_close(again.module(x), run.module(x), rtol=0, atol=0)
        one = again.of_target(name)
        assert one.result.target == name
        assert one.metrics["test"] == run.document["targets"][name]["metrics"]["test"]
        assert len(one.module(x)[0]) == (1 if run is numbers else 2)


@pytest.mark.parametrize(
    "pictures", [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.release)]
)
def test_shown_drawn_and_reported(
    pictures: bool, classes: tr.Run, numbers: tr.Run, treino: Treino, request: pytest.FixtureRequest
) -> None:
    if not pictures:
        request.getfixturevalue("undrawn")
    shown = treino("show", classes.path)
    assert [
        name for name in ("colour: On ", "big: On ", "The mean of 2 targets") if name not in shown.out
    ] == []
    drawn = treino(
        "plot", classes.path, "--what", "confusion,boundary,curves,importance", "--of", "big", "--json"
    )
    assert drawn.status == 0, drawn.err
    refused = treino("plot", classes.path, "--of", "bik", "--json").document["error"]
    assert (refused["rule"], refused["hint"]) == ("target_of_run", "Did you mean 'big'?")
    for run in (classes, numbers):
        assert treino("report", run.path, "--to", f"{run.data.target}.html").status == 0
    page = Path("colour,big.html").read_text()
    assert all(text in page for text in ("colour accuracy", "big accuracy", "big auc"))
    refused = treino("explain", "cross-entropy", classes.path, "--json").document["error"]
    assert refused["rule"] == "explain_targets"


@pytest.mark.slow
@pytest.mark.parametrize("targets", [NUMBERS, CLASSES], ids=["numbers", "classes"])
def test_the_exported_script_arrives_at_the_runs_figures(targets: tuple[str, ...], tmp_path: Path) -> None:
    run = trained(tmp_path, targets, engine="module", ensemble=2, epochs=3)
    script = exported(run, "script").paths[0]
    with warnings.catch_warnings(action="error"):
        last = json.loads(printed(script)[-1])
    wanted = run.document["metrics"]["test"]
    assert last["test"] == {name: pytest.approx(wanted[name], rel=1e-5) for name in last["test"]}


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"target": ["length", "colour"]}, "targets_mixed"),
        ({"target": "length,length"}, "target_twice"),
        ({"target": ["length", "wieght"]}, "target_unknown"),
        ({"target": ["length", "weight"], "features": ["u", "weight"]}, "features_target"),
        ({"target": CLASSES, "class_weights": "balanced"}, "class_weights_targets"),
        ({"target": CLASSES, "metric": "auc"}, "metric_task"),
        ({"target": NUMBERS, "metric": "rmse"}, "metric_units"),
        ({"target": NUMBERS, "metric": "mae", "ensemble": 2}, "metric_units"),
        ({"target": NUMBERS, "alerts": "val rmse > 3: stop"}, "metric_units"),
        ({"target": CLASSES, "threshold": "auto"}, "threshold_classes"),
        ({"target": CLASSES, "loss": "bce"}, "bce_classes"),
    ],
)
def test_what_can_not_be_is_refused(settings: dict[str, object], rule: str, tmp_path: Path) -> None:
    error = refusal_of(tr.fit, table(40), parent=tmp_path, epochs=1, **settings)
    assert error.rule == rule
    assert error.hint


def test_a_column_whose_name_holds_a_comma_is_one_target(tmp_path: Path) -> None:
    frame = table(60).rename(columns={"length": "length,weight"})
    assert tr.load(frame, target="length,weight").target == "length,weight"
    both = tr.load(frame, target=["length,weight", "weight"])
    assert [one.target for one in both.by_target] == ["length,weight", "weight"]
    assert both.target == '"length,weight",weight'


def test_rows_without_one_of_the_targets_are_left_out() -> None:
    frame = table(60)
    frame.loc[[3, 7], "length"] = np.nan
    frame.loc[7, "weight"] = np.nan
    data = tr.load(frame, target=list(NUMBERS))
    assert sum(map(len, data.splits.values())) == 58
    assert any("one of their targets has no value: 2" in note for note in data.notes)


def _names(document: object) -> set[str]:
    """All keys of a document, except below ``targets``."""
    if isinstance(document, dict):
        below = (_names(value) for name, value in document.items() if name != "targets")
        return {str(name) for name in document}.union(*below)
    return set().union(*map(_names, document)) if isinstance(document, list) else set()


@pytest.mark.slow
def test_no_door_shows_an_error_that_is_a_mean_over_units(numbers: tr.Run, treino: Treino) -> None:
    """Neither as a metric, nor as a baseline's, an interval, a spread, or on a leaderboard."""
    table().drop(columns=list(CLASSES)).to_csv("t.csv", index=False)
    settings = ["t.csv", "--target", ",".join(NUMBERS), "--epochs", 2, "--json"]
    seeds = treino("train", *settings, "--seeds", 2, "--name", "seeds")
    sweep = treino("sweep", *settings, "--space", "lr=0.01|0.1", "--sampler", "grid", "--fresh", 0)
    for said in (
        seeds,
        sweep,
        treino("show", numbers.path, "--json"),
        treino("predict", numbers.path, "t.csv", "--json"),
    ):
        assert said.status == 0, said.err
        assert _names(said.document).isdisjoint({"rmse", "mae"})
        assert "r2" in _names(said.document)
    for refused in (
        treino("sweep", *settings, "--space", "lr=0.01|0.1", "--metric", "rmse"),
        treino("train", *settings, "--seeds", 2, "--until", "rmse=3"),
        treino("study", *settings, "--until", "rmse=3"),
    ):
        assert (refused.status, refused.document["error"]["rule"]) == (2, "metric_units")
        assert "loss, r2" in refused.document["error"]["hint"]


def test_weighted_rows_of_several_targets(tmp_path: Path) -> None:
    frame = table(120)
    frame["count"] = np.random.default_rng(0).integers(0, 3, len(frame))
    run = tr.fit(frame, target=list(CLASSES), row_weights="count", parent=tmp_path, epochs=3)
    rows = frame.iloc[run.data.test.index.numpy()]
    said = run.predict(rows)
    scores = [
        accuracy_score(rows[name], said[f"prediction_{name}"], sample_weight=rows["count"])
        for name in CLASSES
    ]
    assert run.metrics["test"]["accuracy"] == pytest.approx(np.mean(scores))


def test_a_sweep_of_several_targets_ends_with_a_verdict(tmp_path: Path) -> None:
    few = {"space": {"lr": [0.01, 0.1]}, "sampler": "grid", "epochs": 2, "fresh": 0, "parent": tmp_path}
    sweep = tr.sweep(table(90), target=list(CLASSES), features=["u", "v"], **few)
    assert sweep.best.document["targets"].keys() == set(CLASSES)
    assert not any("failed" in note for note in sweep.document["notes"])


@pytest.mark.filterwarnings("ignore:std")
def test_estimators_take_y_of_two_dimensions() -> None:
    frame = table(120)
    x = frame[["u", "v"]].to_numpy()
    y = frame[list(NUMBERS)].to_numpy()
    model = Regressor(epochs=20).fit(x, y)
    assert model.predict(x).shape == y.shape
    assert model.predict_interval(x).shape == (*y.shape, 2)
    assert model.score(x, y) == pytest.approx(r2_score(y, model.predict(x)))
    assert model.score(x, y) > 0.8
    labels = frame[list(CLASSES)].to_numpy()
    sorter = Classifier(epochs=20).fit(x, labels, sample_weight=np.arange(len(x)) % 3)
    assert [share.shape for share in sorter.predict_proba(x)] == [(120, 3), (120, 2)]
    assert (sorter.predict(x) == labels).mean() > 0.8
    assert [list(names) for names in sorter.classes_] == [["blue", "green", "red"], ["no", "yes"]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_of_several_outputs() -> None:
    check_regressor_multioutput("Regressor", Regressor(epochs=2))
    check_classifier_multioutput("Classifier", Classifier(epochs=2))
