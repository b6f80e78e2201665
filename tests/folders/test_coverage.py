"""Intervals and sets at any coverage, by every door: in training, predictions, files, and a sent folder."""

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import treino as tr
from tests.conftest import Treino, refusal_of
from treino.folders.prediction import predict, reading_of
from treino.folders.prediction_files import predictions_file


def numbers(rows: int = 400) -> pd.DataFrame:
    r = np.random.default_rng(5)
    x = r.normal(size=rows)
    return pd.DataFrame({"x": x, "y": 2 * x + r.normal(size=rows)})


def kinds(rows: int = 400) -> pd.DataFrame:
    """Three classes that lie over each other; the name of one holds a comma."""
    r = np.random.default_rng(6)
    place = r.integers(3, size=rows)
    names = np.array(["red", "green, light", "blue"])
    return pd.DataFrame({"x": place + r.normal(0, 0.8, rows), "kind": names[place]})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of numbers and of classes, trained from files in the folder above."""
    parent = tmp_path_factory.mktemp("coverage")
    for frame, target in ((numbers(), "y"), (kinds(), "kind")):
        frame.to_csv(parent / f"{target}.csv", index=False)
        source = str(parent / f"{target}.csv")
        tr.fit(
            source, target=target, recipe="plain", epochs=10, parent=parent, name=f"of-{target}", lean=True
        )
    return parent


@pytest.fixture
def of_numbers(runs: Path) -> tr.Run:
    return tr.open(runs / "of-y")


@pytest.fixture
def of_kinds(runs: Path) -> tr.Run:
    return tr.open(runs / "of-kind")


def test_a_training_tells_what_its_coverage_is_worth(of_numbers: tr.Run, of_kinds: tr.Run) -> None:
    for run, name in ((of_numbers, "prediction_intervals"), (of_kinds, "prediction_sets")):
        known = run.document[name]
        assert known["level"] == 0.9
        assert known["rows"] == len(known["scores"]) == run.result.rows["validation"]
        assert known["coverage_interval"][0] < known["coverage"] < known["coverage_interval"][1]
        assert 0.03 < known["spread"] < 0.12
    assert any(
        note.startswith("Predictions carry 90 % intervals (± ") for note in of_numbers.document["notes"]
    )
    assert not any("Sets of classes" in note for note in of_kinds.document["notes"])
    assert 1 < of_kinds.document["prediction_sets"]["size"] < 3


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_intervals_at_any_coverage_hold_so_many_validation_rows(of_numbers: tr.Run, coverage: float) -> None:
    rows = of_numbers.data.validation
    frame = numbers().iloc[rows.index.numpy()]
    found = of_numbers.predict(frame, coverage=coverage)
    inside = ((found["low"] <= frame["y"] + 1e-6) & (frame["y"] - 1e-6 <= found["high"])).sum()
    assert inside == math.ceil((len(rows) + 1) * coverage)
    usual = of_numbers.predict(frame)
    assert ((usual["high"] - usual["low"] > found["high"] - found["low"]) == (coverage < 0.9)).all()


def test_sets_are_lists_of_classes_the_most_probable_first(of_kinds: tr.Run) -> None:
    frame = kinds()[["x"]].head(50)
    found = of_kinds.predict(frame, coverage=0.9)
    assert "set" not in of_kinds.predict(frame)
    sizes = set()
    for _i, row in found.iterrows():
        shares = [row[f"probability_{name}"] for name in row["set"]]
        assert row["set"][0] == row["prediction"]
        assert shares == sorted(shares, reverse=True)
        sizes.add(len(shares))
    assert len(sizes) > 1  # adaptive


def test_every_door_gives_the_same_sets(of_kinds: tr.Run, tmp_path: Path) -> None:
    frame = kinds().head(40)
    expected = of_kinds.predict(frame, coverage=0.9)["set"].tolist()
    result = predict(of_kinds, frame, coverage=0.9)
    assert [list(p.class_set or ()) for p in result.each] == expected
    assert result.to_json()["predictions"][0]["set"] == expected[0]
    size = np.mean([len(each) for each in expected])
    assert result.to_json()["coverage"]["size"] == pytest.approx(size)
    source = tmp_path / "new.csv"
    frame.to_csv(source, index=False)
    written = predictions_file(str(source), reading_of(of_kinds), result.each, ".csv").decode()
    rows = list(csv.DictReader(written.splitlines()))
    quoted = {name: f'"{name}"' if "," in name else name for name in frame["kind"]}
    assert [row["set"] for row in rows] == [",".join(quoted[name] for name in each) for each in expected]
    model = tr.Classifier(recipe="plain", epochs=3).fit(frame[["x"]], frame["kind"])
    inside = model.predict_set(frame[["x"]], coverage=0.5)
    assert inside.shape == (40, len(model.classes_))
    assert inside[np.arange(40), model.predict_proba(frame[["x"]]).argmax(1)].all()
    with pytest.raises(ValueError, match="takes 99 rows held back from training; there are 5"):
        model.predict_set(frame[["x"]], coverage=0.99)


def test_a_sent_folder_needs_no_data(of_numbers: tr.Run, tmp_path: Path) -> None:
    """The file that it was trained on is not there, nor the path that leads to it."""
    frame = numbers().head(10)
    expected = of_numbers.predict(frame, coverage=0.7)
    shutil.copytree(of_numbers.path, tmp_path / "sent")
    pd.testing.assert_frame_equal(tr.open(tmp_path / "sent").predict(frame, coverage=0.7), expected)


def test_an_ensembles_intervals_are_wider_where_its_members_differ(tmp_path: Path) -> None:
    run = tr.fit(numbers(), target="y", ensemble=4, epochs=5, parent=tmp_path, coverage=0.8, lean=True)
    assert run.document["prediction_intervals"]["level"] == 0.8
    far = pd.DataFrame({"x": [0.0, 40.0]})
    for coverage in (None, 0.5):
        found = run.predict(far, coverage=coverage)
        width = (found["high"] - found["low"]).tolist()
        assert width[1] > 2 * width[0]
    alone = run.member()
    found, frame = alone.predict(numbers()), numbers()
    inside = ((found["low"] <= frame["y"]) & (frame["y"] <= found["high"])).mean()
    assert 0.7 < inside < 0.92  # of its own errors, not of the ensemble's


def test_what_new_rows_are_held_is_said_of_those_it_has_not_seen(of_kinds: tr.Run) -> None:
    seen = len(of_kinds.data.train) + len(of_kinds.data.validation)
    other = kinds(900).iloc[400:]
    fresh = predict(of_kinds, other, coverage=0.8).coverage[""]
    assert fresh.compared == 500
    sets = of_kinds.predict(other, coverage=0.8)["set"]
    held = [kind in each for kind, each in zip(other["kind"], sets, strict=True)]
    assert fresh.share == pytest.approx(np.mean(held))
    assert fresh.interval[0] < fresh.share < fresh.interval[1]
    mixed = predict(of_kinds, kinds(), coverage=0.8).coverage[""]
    assert mixed.compared == 400 - seen


@pytest.mark.parametrize(
    ("coverage", "says"),
    [
        ("80%", "Did you mean 0.8?"),
        ("99.5", "Did you mean 0.995?"),
        ("0,9", "Did you mean 0.9?"),
        ("1", "must be less than 1"),
        ("1.2", "must be less than 1"),  # of which nobody knows what it means
        ("9", "must be less than 1"),
        ("-0.9", "must be greater than 0"),
        ("nan", "must be a finite number"),
        ("most", "can't be 'most'"),
    ],
)
def test_other_coverages_are_refused(of_kinds: tr.Run, coverage: str, says: str) -> None:
    caught = refusal_of(predict, of_kinds, kinds(), coverage=coverage)
    assert caught.rule in ("coverage_type", "coverage_range")
    assert says in str(caught)
    assert ("Did you mean" in str(caught)) == ("Did you mean" in says)


def test_a_percentage_is_no_share_and_no_file() -> None:
    assert "Did you mean 0.2?" in str(refusal_of(tr.fit, "wine", validation="20%"))


def test_a_coverage_that_validation_rows_cannot_give_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(tr.TreinoError, match=r"takes 99 rows held back .* there are 60\..*0\.98") as caught:
        tr.fit(numbers(), target="y", coverage=0.99, parent=tmp_path)
    assert (caught.value.rule, list(tmp_path.iterdir())) == ("coverage_rows", [])


def test_the_command_prints_the_sets_and_what_they_are_worth(runs: Path, treino: Treino) -> None:
    command = "predict", runs / "of-kind", runs / "kind.csv"
    said = treino(*command, "--coverage", "0.9").out
    assert "90 % set" in said
    assert "Sets of classes at 90 % (± " in said
    assert '"green, light"' in said
    assert "outside training and validation they hold" in said
    plain = treino(*command)
    assert (plain.status, "set" in plain.out) == (0, False)


def test_rows_with_weights_count_by_them(tmp_path: Path) -> None:
    """Half of the rows have errors ten times as large and weigh next to nothing: intervals are of the others,
    and of no more rows than these."""
    frame = numbers(800)
    r = np.random.default_rng(0)
    loud = np.arange(800) % 2 == 0
    frame["y"] += np.where(loud, r.normal(0, 10, 800), 0)
    frame["weight"] = np.where(loud, 1e-4, 1.0)
    settings = {"target": "y", "recipe": "plain", "epochs": 20, "parent": tmp_path, "lean": True}
    run = tr.fit(frame, row_weights="weight", **settings)
    known = run.document["prediction_intervals"]
    quiet = (run.data.validation.weight > 0.5).sum().item()
    assert known["effective"] == pytest.approx(quiet, rel=0.01)
    assert known["quantile"] < 4
    assert tr.fit(frame, kinds={"weight": "out"}, **settings).document["prediction_intervals"]["quantile"] > 8
    assert 0.75 < known["coverage"] <= 1
    pd.testing.assert_series_equal(run.predict(frame, coverage=0.9)["low"], run.predict(frame)["low"])


# ---- folds


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five folds of numbers and of classes, 120 rows each, in the folder above."""
    parent = tmp_path_factory.mktemp("folds")
    for frame, target in ((numbers(120), "y"), (kinds(120), "kind")):
        frame.to_csv(parent / f"{target}.csv", index=False)
        source, settings = str(parent / f"{target}.csv"), {"recipe": "plain", "epochs": 15, "lean": True}
        tr.fit(source, target=target, folds=5, parent=parent, name=f"of-{target}", **settings)
    return parent


def test_intervals_of_folds_ask_each_network_of_the_rows_that_it_did_not_see(folded: Path) -> None:
    """CV+ by hand: each row's error outside its fold, around what that fold's network says of the new row."""
    sweep, new = tr.open(folded / "of-y"), numbers(200).iloc[120:]
    out, frame = sweep.out_of_fold(), numbers(120)
    said = {k + 1: sweep.member(k).predict(new)["prediction"].to_numpy() for k in range(5)}
    value_M = [out.output[i, 0].item() for i in range(120)]
    error_M = [abs(value - frame["y"][row]) for value, row in zip(value_M, out.row.tolist(), strict=True)]
    found = sweep.predict(new, coverage=0.8)
    place = math.ceil(121 * 0.8) - 1
    for n in range(5):
        above = sorted(said[k][n] + e for k, e in zip(out.fold.tolist(), error_M, strict=True))
        below = sorted(
            (said[k][n] - e for k, e in zip(out.fold.tolist(), error_M, strict=True)), reverse=True
        )
        assert (found["low"].iloc[n], found["high"].iloc[n]) == pytest.approx(
            (below[place], above[place]), abs=1e-4
        )
    assert found["prediction"].to_numpy() == pytest.approx(np.mean([*said.values()], axis=0), abs=1e-4)


def test_sets_of_folds_hold_the_answer_and_seeds_have_none(folded: Path, tmp_path: Path) -> None:
    found = tr.open(folded / "of-kind").predict(kinds(60), coverage=0.9)
    assert all(answer == some[0] for answer, some in zip(found["prediction"], found["set"], strict=True))
    seeds = tr.fit(str(folded / "kind.csv"), target="kind", seeds=2, epochs=1, parent=tmp_path, name="two")
    assert "two:0" in str(refusal_of(seeds.predict, kinds(60), coverage=0.9))
    one = seeds.member(0).predict(kinds(60), coverage=0.9)
    assert one["set"].map(len).min() >= 1


# ---- several targets


@pytest.mark.slow
def test_each_target_has_intervals_or_sets_of_its_own(tmp_path: Path) -> None:
    """As those of a run of one target with the same outputs: by hand from its validation rows."""
    frame = numbers().assign(z=lambda rows: 100 * rows["y"] + np.random.default_rng(0).normal(size=400))
    settings = {"recipe": "plain", "epochs": 10, "parent": tmp_path, "lean": True}
    run = tr.fit(frame, target="y,z", **settings)
    found = run.predict(frame, coverage=0.8)
    rows = run.data.validation.index.numpy()
    place = math.ceil(0.8 * (len(rows) + 1)) - 1
    for name in ("y", "z"):
        error_N = np.sort((found[f"prediction_{name}"] - frame[name]).abs().to_numpy()[rows])
        width_N = (found[f"high_{name}"] - found[f"low_{name}"]).to_numpy()
        np.testing.assert_allclose(width_N, 2 * error_N[place], rtol=1e-3)
    worth = predict(run, frame, coverage=0.8).to_json()["coverage"]
    assert worth.keys() == {"y", "z"}
    assert worth["z"]["compared"] == len(run.data.test)
    twice = kinds().assign(other=lambda rows: np.where(rows["x"] > 1, "more", "less"))
    both = tr.fit(twice, target="kind,other", **settings).predict(twice, coverage=0.9)
    assert set(both["set_other"].explode()) <= {"more", "less"}
    held = [kind in some for kind, some in zip(twice["kind"], both["set_kind"], strict=True)]
    assert 0.8 < np.mean(held) < 1
