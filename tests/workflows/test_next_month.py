"""Other rows for a run: trained with its settings, compared with its training rows, and judged on both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jsonschema import validate
from scipy.stats import binomtest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from torch import nn

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.data import load
from treino.data.sources import read
from treino.folders.documents.schemas import schema_of
from treino.inspection.drift import drift

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


@pytest.mark.slow
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


# ---- the columns of other rows beside those that were trained on


def _drift(first: Treino, frame: pd.DataFrame, tmp_path: Path) -> dict[str, Any]:
    frame.to_csv(tmp_path / "new.csv", index=False)
    said = first("data", "new.csv", "--like", "first", "--json")
    assert said.status == 0, said.err
    validate(said.document, schema_of("data --like"))
    return said.document


def test_columns_that_moved_are_named_by_what_matters(first: Treino, tmp_path: Path) -> None:
    (tmp_path / "m1.csv").unlink()  # the run keeps what its columns held
    later = month(2, 300, far=30, cities=(*CITIES, "recife")).assign(more=1.0)
    later.loc[:40, "size"] = np.nan
    found = _drift(first, later, tmp_path)
    columns = {each["column"]: each for each in found["columns"]}
    assert set(found["moved"]) == {"size", "price", "city"}
    shifts = [each["shift"] for each in found["columns"][:3]]
    assert {each["column"] for each in found["columns"][:3]} == set(found["moved"])
    assert shifts == sorted(shifts, reverse=True)
    assert (columns["size"]["missing"], columns["size"]["gaps"]) == (41 / 300, 41)
    assert columns["size"]["missing_there"] == 0
    assert columns["city"]["unknown"] == (later["city"] == "recife").sum()
    assert columns["city"]["example"].startswith("recife, line")
    assert columns["price"]["target"]
    assert abs(columns["size"]["here"] - later["size"].median()) < 1
    assert columns["more"]["state"] == columns["sold"]["state"] == "not used"
    text = first("data", "new.csv", "--like", "first").out
    assert "3 of 5: " + ", ".join(found["moved"]) in text
    assert "41 missing, as none was" in text
    said = first("--lang", "pt_BR", "data", "new.csv", "--like", "first").out
    assert "de classes desconhecidas (recife, linha" in said
    of_frame = tr.open("first").drift(later)
    assert [(c.column, c.chance) for c in of_frame.columns] == [
        (c["column"], c["chance"]) for c in found["columns"]
    ]


def test_columns_that_are_gone_or_hold_other_cells_come_first(first: Treino, tmp_path: Path) -> None:
    later = month(2).drop(columns=["age", "price"]).assign(size="large")
    found = _drift(first, later, tmp_path)
    states = [(each["column"], each["state"]) for each in found["columns"][:2]]
    assert sorted(states) == [("age", "missing"), ("size", "other kind")]
    later = month(2).astype({"size": object})
    later.loc[7, "size"] = "unknown!"
    found = _drift(first, later, tmp_path)
    assert (found["columns"][0]["column"], found["columns"][0]["unreadable"]) == ("size", 1)
    assert found["columns"][0]["example"] == "unknown!, line 9"
    assert found["moved"] == []


def test_what_can_t_be_compared_is_refused(first: Treino, tmp_path: Path) -> None:
    assert first("data", "--like", "first", "--json").document["error"]["rule"] == "like_without_data"
    said = first("data", "m1.csv", "--like", "first", "--target", "age", "--json")
    assert said.document["error"]["rule"] == "like_and_more"
    x = np.random.default_rng(0).normal(size=(60, 3, 4))
    run = tr.fit((x, x[:, 0].sum(1)), nn.Sequential(nn.Flatten(), nn.Linear(12, 1)), epochs=1)
    assert refusal_of(run.drift, x).rule == "no_columns"


REPEATS = 40


@pytest.mark.release
@settings(max_examples=6, phases=[Phase.generate])
@given(
    rows=st.sampled_from([(40, 25), (150, 300), (300, 40)]),
    levels=st.integers(2, 400),
    tail=st.sampled_from(["normal", "cauchy", "few values", "constant"]),
    gaps=st.sampled_from([0.0, 0.02, 0.5]),
    seed=st.integers(0, 1000),
)
def test_rows_that_were_drawn_alike_are_quiet(
    rows: tuple[int, int], levels: int, tail: str, gaps: float, seed: int
) -> None:
    """In at most 5 % of them any column counts as moved: of 40 draws, 10 or more would be by chance less than
    once in 20,000 times."""
    rng = np.random.default_rng(seed)

    def drawn(n: int) -> pd.DataFrame:
        numbers = {
            "normal": rng.normal(size=n),
            "cauchy": rng.standard_cauchy(n),
            "few values": rng.integers(0, 3, n).astype(float),
            "constant": np.ones(n),
        }[tail]
        share = 1 / np.arange(1, levels + 1)  # a long tail of rare classes
        frame = pd.DataFrame({"a": numbers, "b": rng.normal(size=n)})
        frame.loc[rng.random(n) < gaps, "a"] = np.nan
        frame["c"] = [f"c{k}" for k in rng.choice(levels, n, p=share / share.sum())]
        return frame.assign(y=rng.normal(size=n))

    alarms = 0
    for _draw in range(REPEATS):
        there = load(drawn(rows[0]), target="y", kinds={"c": "category"}, validation=0, test=0)
        alarms += bool(drift(read(drawn(rows[1])), there.preparation, "run").moved)
    assert alarms < 10


@pytest.mark.parametrize("what", ["scale", "share", "gaps", "range"])
def test_each_kind_of_change_is_found(what: str) -> None:
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame({"a": rng.normal(size=n), "c": rng.choice(["x", "y"], n), "y": rng.normal(size=n)})
    later = pd.DataFrame({"a": rng.normal(size=n), "c": rng.choice(["x", "y"], n)})
    there = load(frame, target="y")
    assert drift(read(later), there.preparation, "run").moved == ()
    if what == "scale":
        later["a"] *= 2
    elif what == "share":
        later["c"] = rng.choice(["x", "y"], n, p=[0.7, 0.3])
    elif what == "gaps":
        later.loc[:12, "a"] = np.nan
    else:
        later.loc[:24, "a"] = 1000.0
    assert drift(read(later), there.preparation, "run").moved == (("c",) if what == "share" else ("a",))


# ---- rows to predict outside of what was trained on


@pytest.mark.slow
def test_predict_says_in_one_line_how_many_rows_lie_outside(first: Treino, tmp_path: Path) -> None:
    quiet = month(2)
    quiet.to_csv(tmp_path / "quiet.csv", index=False)
    assert "Outside of" not in first("predict", "first", "quiet.csv").out
    far = month(3, far=40, cities=(*CITIES, "recife"))
    far.loc[:9, "age"] = np.nan
    far.to_csv(tmp_path / "far.csv", index=False)
    document = first("predict", "first", "far.csv", "--json").document
    (note,) = (each for each in document["notes"] if "Outside of" in each)
    trained = tr.open("first").data.preparation.columns[0]
    above = int((far["size"] > trained.values[-1]).sum())
    recife = int((far["city"] == "recife").sum())
    outside = (far["size"] > trained.values[-1]) | (far["city"] == "recife") | far["age"].isna()
    assert f"{outside.sum()} of 200 rows" in note
    assert f"size ({above} above)" in note
    assert "age (10 missing, as none was)" in note
    assert f"city ({recife} of classes that no training row had: recife)" in note
    assert not [each for each in document["notes"] if each.startswith("Classes that no")]
    assert document["unknown"] == {"city": recife}
    said = first("--lang", "pt_BR", "predict", "first", "far.csv").out
    assert f"{outside.sum()} de 200 linhas" in said


# ---- two runs on the same rows


@pytest.fixture
def two(treino: Treino, tmp_path: Path) -> Treino:
    """The command line, in a folder with runs of two months: ``old`` hardly learnt anything, ``new`` did."""
    for number in (1, 2):
        month(number).to_csv(tmp_path / f"m{number}.csv", index=False)
    month(7).to_csv(tmp_path / "test.csv", index=False)
    for words in (
        (
            "m1.csv",
            "--target",
            "price",
            "--kinds",
            "sold=out",
            "--steps",
            1,
            "--recipe",
            "plain",
            "--name",
            "old",
        ),
        ("m2.csv", "--like", "old", "--epochs", 60, "--name", "new"),
    ):
        said = treino("train", *words)
        assert said.status == 0, said.err
    return treino


@pytest.mark.slow
def test_the_better_run_is_named_with_the_interval_of_each_figure(two: Treino, tmp_path: Path) -> None:
    """Beside scikit-learn's figures of what both predict."""
    found = two("compare", "old", "new", "--on", "test.csv", "--json").document
    validate(found, schema_of("compare"))
    assert (found["metric"], found["better"], found["compared"]) == ("rmse", "b", 200)
    assert found["trained_on"] == {"a": 0, "b": 0}
    frame = pd.read_csv(tmp_path / "test.csv")
    said = [tr.open(name).predict(frame)["prediction"].to_numpy() for name in ("old", "new")]
    measured: dict[str, Any] = {
        "rmse": lambda p: root_mean_squared_error(frame["price"], p),
        "mae": lambda p: mean_absolute_error(frame["price"], p),
        "r2": lambda p: r2_score(frame["price"], p),
    }
    assert {figure["metric"] for figure in found["figures"]} == set(
        measured
    )  # a loss is in each run's own unit
    for figure in found["figures"]:
        a, b = map(measured[figure["metric"]], said)
        assert (figure["a"], figure["b"]) == pytest.approx((a, b), rel=1e-4)
        assert figure["low"] < figure["difference"] < figure["high"]
        assert figure["difference"] == pytest.approx(b - a, rel=1e-3)
        assert figure["better"] == "b"
    changed = np.flatnonzero(np.abs(said[1] - said[0]) > measured["rmse"](said[0]))
    assert [row["row"] for row in found["changed_rows"]] == changed.tolist()
    assert found["changed_rows"][0]["truth"] == frame["price"][changed[0]]
    text = two("compare", "old", "new", "--on", "test.csv", "--to", "changed.csv").out
    assert "new is better on 200 rows, by rmse" in text
    assert len(pd.read_csv(tmp_path / "changed.csv")) == len(changed) == found["changed"]
    said_pt = two("--lang", "pt_BR", "compare", "old", "new", "--on", "test.csv").out
    assert "new é melhor em 200 linhas" in said_pt
    assert tr.open("old").compare(tr.open("new"), frame).better == "b"
    swapped = tr.open("new").compare(tr.open("old"), frame)
    assert (swapped.better, swapped.sentence().startswith("new is better")) == ("a", True)


@pytest.mark.slow
def test_rows_that_were_trained_on_are_left_out(two: Treino, tmp_path: Path) -> None:
    both = pd.concat([pd.read_csv(tmp_path / name) for name in ("test.csv", "m2.csv")])
    both.to_csv(tmp_path / "both.csv", index=False)
    alone = two("compare", "old", "new", "--on", "test.csv", "--json").document
    found = two("compare", "old", "new", "--on", "both.csv", "--json").document
    assert found["trained_on"] == {"a": 0, "b": 140}
    assert found["compared"] == 260
    assert any("left out of the figures: 140" in note for note in found["notes"])
    month(2).iloc[tr.open("new").data.train.index.numpy()].to_csv(tmp_path / "seen.csv", index=False)
    found = two("compare", "old", "new", "--on", "seen.csv", "--json").document
    assert any("Every row was trained on" in note for note in found["notes"])
    assert found["compared"] == 140
    assert alone["compared"] == 200


@pytest.mark.slow
def test_of_two_alike_it_can_t_be_told(treino: Treino, tmp_path: Path) -> None:
    """McNemar's test beside SciPy's binomial one, and the rows whose class changed."""
    month(1).to_csv(tmp_path / "m1.csv", index=False)
    test = month(7)
    test.to_csv(tmp_path / "test.csv", index=False)
    classes = ("--target", "sold", "--features", "size,age", "--epochs", 4, "--threshold", "auto")
    for seed in (1, 2):
        treino("train", "m1.csv", *classes, "--seed", seed, "--data-seed", 0, "--name", f"s{seed}")
    found = treino("compare", "s1", "s2", "--on", "test.csv", "--json").document
    assert (found["metric"], found["better"]) == ("accuracy", None)
    said = [tr.open(f"s{seed}").predict(test)["prediction"] for seed in (1, 2)]
    right = [(each == test["sold"]).to_numpy() for each in said]
    alone = [int((right[i] & ~right[1 - i]).sum()) for i in (0, 1)]
    (accuracy,) = (figure for figure in found["figures"] if figure["metric"] == "accuracy")
    assert accuracy["p"] == pytest.approx(binomtest(alone[0], max(1, sum(alone))).pvalue if sum(alone) else 1)
    assert [row["row"] for row in found["changed_rows"]] == np.flatnonzero(said[0] != said[1]).tolist()
    assert "can't be told from 200 rows" in treino("compare", "s1", "s2", "--on", "test.csv").out


@pytest.mark.slow
def test_rows_of_a_group_are_drawn_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def flats(seed: int) -> pd.DataFrame:
        house = rng.integers(0, 40, 200)
        return month(seed).assign(house=[f"h{each}" for each in house])

    shared: dict[str, Any] = {"target": "price", "features": ["size", "age"], "recipe": "plain", "epochs": 2}
    old = tr.fit(flats(1), split_group="house", **shared)
    new = tr.fit(flats(2), like=old)
    assert new.spec.data.load.split_group == "house"
    test = flats(3)
    found = old.compare(new, test)
    assert found.groups == test["house"].nunique()
    assert refusal_of(old.compare, new, test.drop(columns="house")).rule == "groups_missing"


@pytest.mark.slow
def test_runs_that_can_t_be_compared_are_refused(two: Treino, tmp_path: Path) -> None:
    assert two("train", "m1.csv", "--target", "sold", "--epochs", 1, "--name", "other").status == 0
    month(3).drop(columns="price").to_csv(tmp_path / "none.csv", index=False)
    for words, rule in (
        (("old", "other", "--on", "test.csv"), "nothing_to_compare"),
        (("old", "old", "--on", "test.csv"), "run_twice"),
        (("old", "new", "--on", "none.csv"), "rows_without_target"),
    ):
        said = two("compare", *words, "--json")
        assert (said.status, said.document["error"]["rule"]) == (2, rule)
        assert said.document["error"]["hint"]


@pytest.mark.slow
def test_a_refit_is_judged_where_it_predicts(treino: Treino, tmp_path: Path) -> None:
    """It was trained on all rows of its month."""
    month(1).to_csv(tmp_path / "m1.csv", index=False)
    month(2).to_csv(tmp_path / "m2.csv", index=False)
    plain = ("--target", "price", "--recipe", "plain", "--epochs", 2, "--refit")
    assert treino("train", "m1.csv", *plain, "--name", "old").status == 0
    assert treino("train", "m2.csv", "--like", "old", "--name", "new").status == 0
    assert tr.open("new").resolved.refit
    found = treino("compare", "old", "new", "--on", "m2.csv", "--json").document
    assert (found["a"], found["b"], found["trained_on"]) == ("old", "new", {"a": 0, "b": 200})
