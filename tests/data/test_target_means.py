"""Target means of columns: scikit-learn's TargetEncoder as the oracle, and what no row sees of itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

import treino as tr
from treino.data import load
from treino.data.dataset import Data
from treino.data.documents import PreparationDocument
from treino.data.preparation.new_rows import rows_for_prediction
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.target_means import FOLDS, TargetFolds
from treino.folders.row_hashes import seen_rows
from treino.folders.stored_run import StoredRun
from treino.inspection.boundary import _rows_at, typical_row


def table(rows: int = 600, values: int = 80) -> pd.DataFrame:
    """``code`` stands for something, which no order of its numbers tells; ``size`` doesn't."""
    r = np.random.default_rng(5)
    code, size = r.integers(0, values, rows) * 0.5, r.normal(size=rows)
    worth = r.normal(size=values)[(code * 2).astype(int)]
    name = np.array([f"n{k}" for k in r.permutation(300)])[r.integers(0, 300, rows)]
    code[:3] = np.nan
    return pd.DataFrame({
        "code": code, "size": size, "name": name, "y": worth + size + r.normal(size=rows) / 5,
        "kind": np.where(worth + size / 3 > 0.3, "a", np.where(worth > -0.5, "b", "c")),
    })  # fmt: skip


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


def inputs_of(data: Data, column: str) -> list[int]:
    """The places of a column's target means."""
    program, group = next(
        (p, g)
        for p, g in zip(data.preparation.programs, data.preparation.groups, strict=True)
        if p.column == column
    )
    return [group[k] for k in program.told]


@pytest.mark.parametrize(("target", "kind"), [("y", "continuous"), ("kind", "multiclass")])
def test_they_are_scikit_learns_and_of_training_rows_those_of_the_other_folds(
    frame: pd.DataFrame, target: str, kind: str
) -> None:
    other = "kind" if target == "y" else "y"
    data = load(frame.drop(columns=[other, "name"]), target=target, target_means=True)
    prep = data.preparation
    program = prep.programs[0]
    train, test = (rows.index.numpy() for rows in (data.train, data.test))
    code = frame["code"].fillna(program.fill).to_numpy()[:, None]
    y = frame[target].to_numpy() if target == "kind" else (frame["y"] - prep.target_mean) / prep.target_scale
    share = frame["kind"].iloc[train].value_counts(normalize=True).sort_index().to_numpy()
    centre = 0.0 if target == "y" else share

    def oracle(fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
        made = TargetEncoder(smooth=program.told_step.prior, target_type=kind, shuffle=False)
        return np.asarray(made.fit(code[fitted], y[fitted]).transform(code[asked]) - centre)

    places = inputs_of(data, "code")
    assert len(places) == (1 if target == "y" else 3)
    assert not inputs_of(data, "size")
    centred = np.array([prep.mean[place] for place in places])
    shown = data.test.x.numpy()[:, places] + centred
    np.testing.assert_allclose(shown, oracle(train, test), atol=1e-6)
    fold = np.arange(len(train)) % FOLDS  # no two rows are equal
    for k in range(FOLDS):
        shown = data.train.x.numpy()[fold == k][:, places] + centred
        np.testing.assert_allclose(shown, oracle(train[fold != k], train[fold == k]), atol=1e-6)


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.floats(-3, 3), st.integers(0, FOLDS - 1), st.integers(1, 4)), min_size=3
)


@given(rows=ROWS, prior=st.sampled_from([1.0, 10.0]))
def test_weights_count_as_equal_rows_and_no_row_sees_its_own_target(
    rows: list[tuple[int, float, int, int]], prior: float
) -> None:
    key, y, fold, weight = (np.array(part) for part in zip(*rows, strict=True))
    weighted = TargetFolds(y[:, None], fold, weight.astype(float)).held_out(key, prior)
    many = TargetFolds(np.repeat(y, weight)[:, None], np.repeat(fold, weight))
    np.testing.assert_allclose(
        many.held_out(np.repeat(key, weight), prior), np.repeat(weighted, weight, axis=0), atol=1e-9
    )
    y[0] += 100.0
    again = TargetFolds(y[:, None], fold, weight.astype(float)).held_out(key, prior)
    np.testing.assert_allclose(again[fold == fold[0]], weighted[fold == fold[0]], atol=1e-9)


def test_a_value_without_a_mean_has_that_of_all_rows(frame: pd.DataFrame) -> None:
    data = load(frame[["code", "size", "y"]], target="y", target_means=True)
    program, prep = data.preparation.programs[0], data.preparation
    value, mean = program.step("place").values[3], program.step("means").means[3]
    (place,) = inputs_of(data, "code")
    raw_ND = prep.inverse(data.test.x[:2])
    raw_ND[:, prep.groups[0][0]] = [0.25, value]  # no code is a quarter
    np.testing.assert_allclose(prep.with_bins(raw_ND)[:, place], [0.0, mean])
    x = prep.inverse(_rows_at(data, typical_row(data), [0], np.array([[value]])))
    np.testing.assert_allclose(x[0, place], mean, atol=1e-6)


def test_columns_whose_values_stand_for_nothing_are_as_they_were() -> None:
    r = np.random.default_rng(0)
    whole, three = r.integers(0, 40, 500), r.integers(0, 3, 500)  # a bin tells what one of three numbers does
    y = whole * 0.1 + np.array([0, 3, -2])[three] + r.normal(size=500)
    frame = pd.DataFrame({"whole": whole, "three": three, "x": r.normal(size=500), "y": y})
    for inputs in ("plain", "bins"):
        told, plain = (load(frame, target="y", inputs=inputs, target_means=on) for on in (True, False))
        assert told.preparation == plain.preparation
        assert torch.equal(told.train.x, plain.train.x)


def test_a_number_that_stands_for_its_group_or_time_has_no_means(frame: pd.DataFrame) -> None:
    frame = frame.assign(group=frame["code"].fillna(-1).astype(str), code=frame["code"].fillna(-1))
    asked = {"target": "y", "target_means": True, "features": ["code", "size"]}
    assert inputs_of(load(frame, **asked), "code")
    assert not inputs_of(load(frame, **asked, split_group="group"), "code")
    frame["when"] = 1e6 * frame["code"] + np.arange(len(frame))  # a code is seen for a while, then another
    assert not inputs_of(load(frame, **asked, split_time="when"), "code")
    assert inputs_of(load(frame.assign(when=frame["when"] % 1e6), **asked, split_time="when"), "code")


@pytest.mark.slow
def test_many_names_have_them_beside_their_hashes_on_disk_too(tmp_path) -> None:
    frame = table(6000, 40).drop(columns="kind")
    frame["y"] += frame["name"].str[1:].astype(int) % 7
    frame.to_csv(tmp_path / "t.csv", index=False)
    asked = {"target": "y", "target_means": True, "inputs": "bins", "bins": 4, "duplicates": "ignore"}
    held = load(tmp_path / "t.csv", **asked)
    assert len(inputs_of(held, "name")) == len(inputs_of(held, "code")) == 1
    assert sum(held.preparation.input_bins) == 2 * 4 + 2
    far = load(tmp_path / "t.csv", **asked, max_memory="2MB")
    assert far.preparation == held.preparation
    for part in ("train", "test"):
        near, rows = getattr(held, part), getattr(far, part)
        assert torch.equal(rows.x.index_select(0, torch.arange(len(rows))), near.x)
    raw, far = (load(tmp_path / "t.csv", **asked, normalise=False, max_memory=m) for m in (None, "2MB"))
    assert far.preparation == raw.preparation


def test_they_go_through_json_and_a_damaged_one_is_refused(frame: pd.DataFrame) -> None:
    prep = load(frame.drop(columns="kind"), target="y", target_means=True).preparation
    written = prep.to_json()
    assert Preparation.from_document(PreparationDocument.model_validate(written)) == prep
    steps = written["programs"][0]["steps"]
    (at,) = (k for k, step in enumerate(steps) if step["do"] == "means")
    for key, value in {"means": [1.0, *steps[at]["means"]], "prior": -1, "of": at}.items():
        changed = [*steps[:at], steps[at] | {key: value}, *steps[at + 1 :]]
        first, *others = written["programs"]
        broken = written | {"programs": [first | {"steps": changed}, *others]}
        with pytest.raises(ValueError, match="validation error"):
            PreparationDocument.model_validate(broken)
    plain = load(frame.drop(columns="kind"), target="y").preparation.to_json()
    assert not any(step["do"] == "means" for column in plain["programs"] for step in column["steps"])


@pytest.fixture(scope="module")
def run(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    folder = tmp_path_factory.mktemp("runs")
    frame.drop(columns="kind").to_csv(folder / "t.csv", index=False)
    return tr.fit(
        folder / "t.csv", target="y", recipe="table", target_means=True, ensemble=2, epochs=3, parent=folder
    )


@pytest.mark.slow
def test_a_run_keeps_them_and_is_asked_and_taken_elsewhere(
    run: tr.Run, frame: pd.DataFrame, tmp_path
) -> None:
    assert run.settings["target_means"]
    train = run.data.train.index.numpy()
    again = rows_for_prediction(frame.drop(columns="kind").iloc[train], run.preparation)
    seen = seen_rows(StoredRun(run.folder), again, "train")
    assert seen is not None
    assert seen[0].all()  # known again, though they were shown other means
    new = frame[["code", "size", "name"]].head(20).assign(code=lambda f: f["code"] + (f.index == 5) / 3)
    wanted = run.predict(new)["prediction"].to_numpy()
    np.testing.assert_allclose(tr.open(run.path).predict(new)["prediction"], wanted)


def test_each_of_several_targets_has_its_own(frame: pd.DataFrame) -> None:
    frame = frame[["code", "size", "y"]].assign(z=lambda f: -3 * f["y"])
    both, one = (load(frame[names], target=",".join(names[2:]), target_means=True)
                 for names in (["code", "size", "y", "z"], ["code", "size", "y"]))  # fmt: skip
    (own,), (first, second) = inputs_of(one, "code"), inputs_of(both, "code")
    torch.testing.assert_close(both.test.x[:, first], one.test.x[:, own])
    torch.testing.assert_close(both.test.x[:, second], -one.test.x[:, own])
