"""The recipe for tables, and the settings that only the networks of an ensemble have."""

from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

import treino as tr
from tests.conftest import refusal_of
from treino.data import loader
from treino.data.column_program import ColumnProgram
from treino.folders.prediction import predict
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.inspection.boundary import boundary
from treino.inspection.outputs import confusion, mistakes
from treino.reports.report import report
from treino.settings import recipes
from treino.settings.spec import read_settings
from treino.training.resolution import resolve


def table(rows=240):
    r = np.random.default_rng(3)
    a, b = r.normal(size=rows), r.normal(size=rows)
    kind = r.choice(["red", "green", "blue"], rows)
    price = 3 * a * (kind == "red") + np.abs(b) + r.normal(size=rows) / 10
    return pd.DataFrame({"a": a, "kind": kind, "b": b, "price": price})


@pytest.fixture(scope="module")
def data():
    return tr.load(table(), target="price")


def test_the_recipe_fills_what_is_left_open_and_nothing_else():
    found = read_settings({"recipe": "table", "ema": 0.5, "hidden": (8,)})
    assert (found.ema, found.hidden, found.ensemble, found.gates) == (0.5, (8,), 8, 6.0)
    assert (found.optimizer, found.lr, found.weight_decay) == ("adamw", 2e-3, 1e-2)
    assert (found.dropout, found.dropout_spread, found.plain_members) == (0.4, True, 2)
    again = read_settings({name: getattr(found, name) for name in found.model_fields_set})
    assert again.explicit == found.explicit
    assert {again.source("gates"), found.source("hidden"), found.source("lr")} == {"typed", "recipe"}
    assert read_settings({}).ensemble == 1


@given(rows=st.integers(1, 10**7))
def test_batches_are_powers_of_two_about_a_fiftieth_of_the_rows(rows):
    size = recipes.batch_rows(rows)
    assert 32 <= size <= 512
    assert size & (size - 1) == 0
    if 32 * 50 <= rows <= 512 * 50:
        assert rows / 50 / 1.5 < size < rows / 50 * 1.5


@given(batches=st.integers(1, 10**6))
def test_it_may_train_for_five_thousand_steps_and_twenty_epochs(batches):
    epochs, patience = recipes.length(batches)
    assert epochs * batches >= 5000
    assert epochs >= 20
    assert 20 <= patience <= epochs


def test_members_drop_shares_of_their_own(data):
    settings = read_settings({"ensemble": 5, "dropout": 0.5, "dropout_spread": True, "epochs": 1})
    resolution = resolve(settings, data)
    rate_P = resolution.training.state.population.hp["dropout"]
    assert torch.allclose(rate_P.sort().values, torch.tensor([0.05, 0.15, 0.25, 0.35, 0.45]).double())
    other = resolve(settings.model_copy(update={"seed": 1}), data).training.state.population.hp["dropout"]
    assert not torch.equal(rate_P, other)
    assert resolution.settings.dropout == 0.5


def test_a_run_by_the_recipe_is_kept_resumed_and_asked(tmp_path):
    run = tr.fit(table(), target="price", recipe="table", epochs=3, name="a", parent=tmp_path)
    assert len(run.module.members) == 4
    assert run.settings["recipe"] == "table"
    assert run.settings["batch_size"] == 32
    again = tr.open(tmp_path / "a")
    frame = table(9).drop(columns="price")
    assert np.allclose(again.predict(frame)["prediction"], run.predict(frame)["prediction"])
    first = tr.fit(table(), target="price", recipe="table", epochs=3, name="b", parent=tmp_path)
    assert run.state.keys() == first.state.keys()
    for name, value in run.state.items():
        assert torch.equal(value, first.state[name])


def chosen(tmp_path, *data, **settings):
    run = tr.fit(*data, epochs=1, lean=True, parent=tmp_path, **settings)
    return run.settings["recipe"], run.spec.facts.reasons[-1]


def test_a_table_of_ones_own_is_trained_by_the_recipe_and_says_so(tmp_path):
    frame = table()
    frame.to_csv(tmp_path / "t.csv", index=False)
    pair = (frame[["a", "b"]].to_numpy(), frame["price"].to_numpy())
    for data, target in ((frame, "price"), (tmp_path / "t.csv", "price"), (pair, None)):
        recipe, said = chosen(tmp_path, data, target=target)
        assert recipe == "table"
        assert said.startswith("recipe table, as by default for a table of your own: 8 networks (")


def test_a_run_and_its_report_say_what_decided_each_setting(tmp_path):
    run = tr.fit(table(), target="price", epochs=1, lr=0.01, hidden=[4], lean=True, parent=tmp_path)
    of = run.spec.sources
    assert (of["ensemble"], of["gates"], of["recipe"]) == ("recipe", "recipe", "data")
    assert not {"lr", "epochs", "hidden", "target"} & of.keys()
    assert not {"batch_size", "patience"} & run.spec.asked.keys()
    lines = report([run], as_markdown=True).read_text().splitlines()
    rows = {line.split("|")[1].strip(): line.split("|")[3].strip() for line in lines if line.count("|") == 5}
    shown = {name: rows[name] for name in ("lr", "gates", "task", "recipe")}
    assert shown == {"lr": "asked for", "gates": "recipe", "task": "decided", "recipe": "decided"}


@pytest.mark.slow
def test_where_one_simple_network_is_trained(tmp_path, data):
    frame, own = table(), {"target": "price"}
    first = tr.fit(frame, epochs=1, lean=True, parent=tmp_path, recipe="plain", **own)
    for recipe, said, why in (
        (*chosen(tmp_path, "wine"), "built-in data"),
        (*chosen(tmp_path, data), "the rows were prepared before"),
        (*chosen(tmp_path, frame, torch.nn.Linear(5, 1), **own), "the network is your own"),
        (*chosen(tmp_path, frame, fault="missing_zero_grad", **own), "a fault is to be seen"),
    ):
        assert recipe == "plain"
        assert said == f"recipe plain: one simple network ({why})"
    assert chosen(tmp_path, frame, tr.mlp(4), **own)[0] == "plain"
    assert chosen(tmp_path, frame, recipe="plain", **own)[0] == "plain"
    assert first.settings["recipe"] == "plain"
    assert (
        tr.sweep(frame, "lr=1e-3|1e-2", epochs=1, fresh=0, parent=tmp_path, **own).best.settings["recipe"]
        == "plain"
    )


def test_the_command_of_a_run_names_its_recipe_and_trains_it_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table().to_csv("t.csv", index=False)
    run = tr.fit("t.csv", target="price", epochs=2, ensemble=4, lr=0.01)
    assert run.spec.command.endswith("t.csv --target price --recipe table --ensemble 4 --lr 0.01 --epochs 2")
    again = tr.fit("t.csv", target="price", epochs=2, ensemble=4, lr=0.01, recipe="table")
    assert all(torch.equal(again.state[name], value) for name, value in run.state.items())
    simple = tr.fit("t.csv", target="price", recipe="plain", epochs=1)
    assert simple.spec.command.endswith("t.csv --target price --recipe plain --epochs 1")


def test_rows_that_were_prepared_with_bins_go_by_the_recipe_where_it_is_named(tmp_path):
    prepared = tr.load(table(), target="price", inputs="bins", clip_inputs=5)
    run = tr.fit(prepared, recipe="table", epochs=1, lean=True, parent=tmp_path)
    assert (run.settings["inputs"], run.settings["clip_inputs"], run.settings["ensemble"]) == ("bins", 5, 8)
    simple = tr.fit(tr.load(table(), target="price"), recipe="table", epochs=1, lean=True, parent=tmp_path)
    assert (simple.settings["inputs"], simple.settings["clip_inputs"]) == ("plain", None)


@pytest.mark.parametrize(
    "columns", [pytest.param(1100, marks=pytest.mark.slow), 70]
)  # more columns than inputs, and with bins more inputs
def test_a_wide_table_is_read_once_and_its_bins_get_no_names(tmp_path, monkeypatch, columns):
    x = np.random.default_rng(0).normal(size=(40, columns)).round(3)
    frame = pd.DataFrame(x, columns=[f"g{i}" for i in range(columns)]).assign(y=x[:, 0] > 0)
    read = MagicMock(wraps=loader.read_with_targets)
    named = MagicMock(wraps=ColumnProgram.inputs.func)
    monkeypatch.setattr(loader, "read_with_targets", read)
    monkeypatch.setattr(ColumnProgram, "inputs", property(lambda program: named(program)))
    run = tr.fit(frame, target="y", epochs=1, lean=True, parent=tmp_path)
    assert run.settings["inputs"] == "plain"
    assert read.call_count == 1
    assert named.call_count <= 2 * columns
    known = tr.load(frame, target="y", **{k: run.settings[k] for k in ("target_means", "clip_inputs")})
    assert run.by_target[0].preparation.mean == known.preparation.mean
    assert all(p.width == len(p.inputs) <= 2 for p in known.preparation.programs)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"recipe": "plain", "loss": "bce"}])
def test_every_figure_is_of_the_answers_that_a_threshold_gives(tmp_path, settings):
    """Beside scikit-learn's metrics of the predictions: metrics, intervals, pictures, comparison, sweeps."""
    frame = table().assign(price=lambda f: np.where(f["price"] > f["price"].quantile(0.8), "yes", "no"))
    asked = settings | {"target": "price", "epochs": 3, "threshold": "cost=1:30", "parent": tmp_path}
    runs = [tr.fit(frame, **asked), tr.sweep(frame, space={"lr": [0.001, 0.01]}, fresh=0, **asked)]
    for run in (runs[0], tr.open(runs[1].document["best"]["run"])):
        said, stored = run.predict(frame)["prediction"], StoredRun(RunFolder.open(run.path))
        assert (run.predict(frame)["probability_yes"].between(run.document["threshold"]["value"], 0.5)).any()
        for split, rows in stored.data.splits.items():
            true, own = frame["price"][rows.index.numpy()], said[rows.index.numpy()]
            expected = {
                "accuracy": accuracy_score(true, own),
                "f1_macro": f1_score(true, own, average="macro"),
            }
            assert {name: run.metrics[split][name] for name in expected} == pytest.approx(expected)
        low, high = run.document["intervals"]["test"]["f1_macro"]
        assert low <= expected["f1_macro"] <= high
        assert (confusion(stored.module, stored.data).count_CC == confusion_matrix(true, own)).all()
        assert mistakes(stored.module, stored.data).wrong == (true != own).sum()
        assert boundary(stored.module, stored.data).score.accuracy == pytest.approx(expected["accuracy"])
        compared = predict(stored, frame).comparison
        assert compared.metrics["accuracy"] == pytest.approx(accuracy_score(frame["price"], said))
    assert runs[1].document["best"]["test"] == run.metrics["test"]
    assert refusal_of(tr.fit, frame, folds=3, **asked).rule == "threshold_of_several"


def test_a_threshold_decides_wherever_a_class_is_predicted(tmp_path):
    frame = table().assign(price=lambda f: np.where(f["price"] > 2, "dear", "cheap"))
    run = tr.fit(
        frame, target="price", epochs=3, kinds={"price": "category"}, threshold="cost=1:20", parent=tmp_path
    )
    known = run.document["threshold"]
    assert known["positive"] == "dear"
    rows = frame.drop(columns="price")
    found = run.predict(rows)
    assert ((found["prediction"] == "dear") == (found["probability_dear"] >= known["value"])).all()
    model = tr.Classifier(epochs=3, threshold="cost=1:20").fit(rows[["a", "b"]], frame["price"])
    value = model.run_.result.threshold.value
    share = model.predict_proba(rows[["a", "b"]])[:, 1]
    assert ((model.predict(rows[["a", "b"]]) == "dear") == (share >= value)).all()
    assert 0 < value < 0.5


@pytest.mark.parametrize(
    ("source", "settings", "rule"),
    [
        ("wine", {}, "threshold_classes"),
        ("diabetes", {}, "threshold_classes"),
        ("breast_cancer", {"validation": 0}, "no_validation_rows"),
    ],
)
def test_a_threshold_needs_two_classes_and_rows_to_look_at(tmp_path, source, settings, rule):
    assert refusal_of(tr.fit, source, threshold="auto", parent=tmp_path, epochs=1, **settings).rule == rule
    assert not list(tmp_path.iterdir())
