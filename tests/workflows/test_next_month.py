"""Other rows for a run: trained with its settings, compared with its training rows, and judged on both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch import nn

import treino as tr
from tests.conftest import Treino, refusal_of

CITIES = ("bh", "poa", "rio", "sp")


def month(seed: int, rows: int = 200, *, far: float = 0.0, cities: tuple[str, ...] = CITIES) -> pd.DataFrame:
    """Flats that were sold in a month. far: how much larger they are than usual."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100 + far, 20, rows).round(1),
            "age": rng.integers(0, 60, rows).astype(float),
            "city": rng.choice(cities, rows),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30, rows), "D"),
        }
    )
    price = 3 * frame["size"] - frame["age"] + 10 * (frame["city"] == "rio") + rng.normal(0, 8, rows)
    return frame.assign(price=price.round(1), sold=np.where(price > 270, "yes", "no"))


@pytest.fixture
def first(treino: Treino, tmp_path: Path) -> Treino:
    """The command line, in a folder with a run ``first`` on the table m1.csv."""
    month(1).to_csv(tmp_path / "m1.csv", index=False)
    said = treino(
        "train", "m1.csv", "--target", "price", "--kinds", "sold=out", "--epochs", 2, "--name", "first"
    )
    assert said.status == 0, said.err
    return treino


# ---- the settings of a run on other rows


@pytest.mark.slow
def test_other_rows_are_trained_on_with_the_settings_of_a_run(first: Treino, tmp_path: Path) -> None:
    """Whatever their order, format, classes and place, and wherever the run's own rows are now."""
    (tmp_path / "m1.csv").rename(tmp_path / "gone.csv")
    later = month(2, cities=(*CITIES, "recife"))
    later[[*reversed(later.columns)]].to_csv(tmp_path / "m2.csv", index=False, sep=";", decimal=",")
    later.assign(more=later["price"] * 2).to_excel(tmp_path / "more.xlsx", index=False)
    documents = []
    for number, file in enumerate(("m2.csv", "more.xlsx")):
        said = first("train", file, "--like", "first", "--name", f"n{number}", "--json")
        assert said.status == 0, said.err
        documents.append(said.document)
    documents.append(tr.fit(later, like=tr.open("first"), name="n2").document)
    for number, document in enumerate(documents):
        assert document["features"] == ["size", "age", "city", "day"]
        assert document["settings"]["target"] == "price"
        assert (document["settings"]["recipe"], document["epochs"]) == ("table", 2)
        assert any("settings of first" in reason for reason in document["reasons"])
        spec = json.loads((tmp_path / f"runs/n{number}/spec.json").read_text())
        assert spec["like"] == "first"
        assert "sold=out" in spec["command"]
    assert documents[0]["loss"] == documents[1]["loss"] == documents[2]["loss"]
    said = first("--lang", "pt_BR", "train", "m2.csv", "--like", "first")
    assert "com as configurações de first" in said.out


@pytest.mark.slow
def test_what_is_typed_comes_before_the_settings_of_the_run(first: Treino, tmp_path: Path) -> None:
    month(2).to_csv(tmp_path / "m2.csv", index=False)
    other = ("--target", "sold", "--kinds", "price=out", "--steps", 9)
    said = first("train", "m2.csv", "--like", "first", *other, "--json").document
    assert (said["task"], said["classes"], said["steps"]) == ("classification", ["no", "yes"], 9)
    said = first("train", "m2.csv", "--like", "first", "--epochs", 1, "--features", "size,age", "--json")
    assert said.document["features"] == ["size", "age"]
    assert said.document["epochs"] == 1


def test_other_rows_without_a_column_of_the_run_are_refused(first: Treino, tmp_path: Path) -> None:
    month(2).drop(columns="age").to_csv(tmp_path / "m2.csv", index=False)
    error = first("train", "m2.csv", "--like", "first", "--json").document["error"]
    assert error["rule"] == "features_unknown"
    assert "'age'" in error["message"]
    assert "first learnt from it" in error["message"]
    assert "--features" in error["hint"]
    month(2).drop(columns="price").to_csv(tmp_path / "m2.csv", index=False)
    error = first("train", "m2.csv", "--like", "first", "--json").document["error"]
    assert (error["rule"], "first predicts it" in error["message"]) == ("target_unknown", True)
    error = first("train", "m2.csv", "--like", "first", "--data", "m1.csv", "--json").document["error"]
    assert error["rule"] == "like_and_data"


@pytest.mark.slow
def test_columns_that_are_something_else_in_other_rows_are_named(first: Treino, tmp_path: Path) -> None:
    later = month(2)
    later["age"] = np.where(later["age"] > 30, "old", "new")
    later.to_csv(tmp_path / "m2.csv", index=False)
    said = first("train", "m2.csv", "--like", "first", "--json")
    (note,) = (each for each in said.document["reasons"] if "other inputs" in each)
    assert "age (number → one-hot)" in note
    assert "--kinds age=number" in note


@pytest.mark.slow
def test_weights_of_other_layers_say_where_they_differ(treino: Treino, tmp_path: Path) -> None:
    for number, cities in enumerate((CITIES, (*CITIES, "recife"))):
        month(number, cities=cities).to_csv(tmp_path / f"m{number}.csv", index=False)
    plain = ("--target", "price", "--recipe", "plain", "--epochs", 2)
    treino("train", "m0.csv", *plain, "--name", "first")
    month(5).to_csv(tmp_path / "m2.csv", index=False)
    said = treino("train", "m2.csv", "--like", "first", "--weights", "first", "--json")
    assert said.status == 0, said.err
    error = treino("train", "m1.csv", "--like", "first", "--weights", "first", "--json").document["error"]
    assert error["rule"] == "weights_differ"
    assert "state_dict" not in error["message"]
    assert "64 ×" in error["message"]
    assert "--weights" in error["hint"]


def _double(output: Any, truth: Any) -> Any:
    return 2 * ((output - truth) ** 2).mean()


@pytest.mark.slow
def test_networks_folds_and_members_are_trained_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    month(1).to_csv("m1.csv", index=False)
    month(2).to_csv("m2.csv", index=False)
    shared: dict[str, Any] = {"target": "price", "epochs": 2, "recipe": "plain"}
    sweep = tr.sweep("m1.csv", {"lr": [0.001, 0.02]}, members=2, fresh=0, name="s", **shared)
    for member in (0, 1):
        run = tr.fit("m2.csv", like=f"s:{member}")
        assert run.resolved.lr == sweep.params(member)["lr"]
        assert run.spec.like == "s"
    assert tr.fit("m2.csv", like=sweep.member(1)).resolved.lr == sweep.params(1)["lr"]
    assert refusal_of(tr.fit, "m2.csv", like=sweep).rule == "like_which"
    folds = tr.fit("m1.csv", folds=2, name="f", **shared)
    again = tr.fit("m2.csv", like=folds)
    assert (again.resolved.fold, again.resolved.epochs) == (None, 2)
    assert isinstance(tr.fit("m2.csv", like=again, folds=2), tr.Sweep)
    own = tr.fit("m1.csv", loss=_double, **shared)
    assert tr.fit("m2.csv", like=own).resolved.loss == own.resolved.loss
    net = nn.Sequential(nn.Linear(7, 8), nn.ReLU(), nn.Linear(8, 1))
    x, y = np.random.default_rng(0).normal(size=(60, 7)), np.arange(60.0)
    given = tr.fit((x, y), net, epochs=2)
    assert refusal_of(tr.fit, (x + 1, y), like=given).rule == "net_wanted"
    assert tr.fit((x + 1, y), net, like=given).resolved.epochs == 2


@pytest.mark.slow
def test_code_of_ones_own_is_trusted_for_other_rows(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Sequential):\n"
        "    def __init__(self):\n"
        "        super().__init__(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 1))\n"
    )
    for number in (1, 2):
        month(number).to_csv(tmp_path / f"m{number}.csv", index=False)
    own = ("--net", "own.py:Net")
    assert treino("train", "m1.csv", "--target", "price", *own, "--epochs", 2, "--name", "first").status == 0
    like = ("train", "m2.csv", "--like", "first")
    assert treino(*like, "--json").document["error"]["rule"] == "net_not_trusted"
    kept, named = (treino(*like, *words, "--json").document["loss"] for words in (["--trust"], own))
    assert kept == named
