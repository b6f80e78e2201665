"""Small trees whose leaves a network sees: scikit-learn's own as the oracle, and where leaves change."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.tree import DecisionTreeRegressor

import treino as tr
from tests.conftest import refusal_of
from treino.data import load
from treino.data.documents import PreparationDocument
from treino.data.preparation import fit
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.target_means import FOLDS, TargetFolds
from treino.data.preparation.trees import LEAVES, fit_trees, leaf_inputs
from treino.inspection.boundary import _rows_at, typical_row
from treino.reports.export.formats import exported


def table(rows: int = 1600) -> pd.DataFrame:
    """Minutes cost only those who have no plan."""
    r = np.random.default_rng(2)
    minutes, plan = r.uniform(0, 60, rows), r.choice(["no", "yes"], rows)
    minutes[::9] = np.nan
    dear = (np.nan_to_num(minutes) > 40) & (plan == "no")
    y = dear * 3.0 + r.normal(size=rows) / 4
    return pd.DataFrame({"minutes": minutes, "plan": plan, "age": r.integers(18, 80, rows), "y": y})


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


def rows_of(rows: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    """Two targets, of which no column tells anything alone."""
    r = np.random.default_rng(0)
    raw = r.normal(size=(rows, 5))
    y = np.stack([np.where((raw[:, k] > 0.2) == (raw[:, 4] > 0), 1.0, -1.0) for k in (0, 1)], 1)
    return raw, y + r.normal(size=y.shape) / 5


def folds_of(y: np.ndarray, weight: np.ndarray | None = None) -> TargetFolds:
    return TargetFolds(y, np.arange(len(y)) % FOLDS, weight)


def test_each_is_scikit_learns_on_what_the_ones_before_it_left() -> None:
    raw, y = rows_of()
    trees = fit_trees(raw, range(5), folds_of(y), 3)
    assert len(trees) == 3
    left = y.copy()
    for tree in trees:
        oracle = DecisionTreeRegressor(max_depth=3, min_weight_fraction_leaf=10 / len(raw), random_state=0)
        oracle.fit(raw, left)
        leaf = leaf_inputs(raw, tree.columns, tree.thresholds)
        assert (leaf.sum(1) == 1).all()
        pairs = set(zip(leaf.argmax(1).tolist(), oracle.apply(raw).tolist(), strict=True))
        assert len(pairs) == len({a for a, _b in pairs}) == len({b for _a, b in pairs}) > 4
        left -= 0.5 * oracle.predict(raw)


def test_weights_count_as_equal_rows() -> None:
    raw, y = rows_of()
    count = np.random.default_rng(1).integers(1, 4, len(raw))
    fold = np.arange(len(raw)) % FOLDS
    weighted = fit_trees(raw, range(5), folds_of(y, count.astype(float)), 2)
    many = TargetFolds(np.repeat(y, count, axis=0), np.repeat(fold, count))
    repeated = fit_trees(np.repeat(raw, count, axis=0), range(5), many, 2)
    assert len(weighted) == 2
    for a, b in zip(weighted, repeated, strict=True):
        np.testing.assert_array_equal(
            leaf_inputs(raw, *vars(a).values()), leaf_inputs(raw, *vars(b).values())
        )


def test_there_are_none_where_columns_tell_as_much_alone() -> None:
    raw, y = rows_of()
    noise = np.random.default_rng(3).normal(size=(len(raw), 1)) / 2
    alone = np.where(raw[:, :1] > 0, 1.0, -1.0) + np.sin(raw[:, 4:]) + noise
    assert not fit_trees(raw, range(5), folds_of(alone - alone.mean()), 4)
    assert not fit_trees(raw, range(5), folds_of(y * 0), 4)
    assert not fit_trees(raw, [], folds_of(y), 4)
    assert not fit_trees(raw[:900], range(5), folds_of(y[:900]), 4)  # too few rows to tell
    assert not fit_trees(raw, range(5), TargetFolds(y, np.zeros(len(y), dtype=int)), 4)  # one group
    frame = pd.DataFrame({"a": raw[:, 0], "b": raw[:, 1], "y": alone[:, 0]})
    assert load(frame, target="y", trees=8).preparation == load(frame, target="y").preparation


def test_leaves_follow_the_columns_and_every_change_of_them(frame: pd.DataFrame) -> None:
    data = load(frame, target="y", inputs="bins", bins=4, trees=3)
    plain = load(frame, target="y", inputs="bins", bins=4)
    prep, leaves = data.preparation, 3 * LEAVES
    assert data.inputs == plain.inputs + leaves == len(prep.inputs) == len(prep.input_columns)
    assert torch.equal(data.train.x[:, :-leaves], plain.train.x)
    assert prep.input_columns[-leaves:] == (*[3] * LEAVES, *[4] * LEAVES, *[5] * LEAVES)
    assert all(prep.input_bins[-leaves:])
    assert set(data.test.x[:, -leaves:].unique().tolist()) == {0.0, 1.0}
    other = data.test.x.clone()
    other[:, list(prep.groups[0])] = data.test.x[torch.arange(len(other)).roll(1)][:, list(prep.groups[0])]
    moved = prep.with_leaves(other)
    assert torch.equal(moved[:, :-leaves], other[:, :-leaves])
    assert not torch.equal(moved, other)
    assert torch.equal(prep.with_leaves(data.test.x), data.test.x)
    assert plain.preparation.with_leaves(other) is other
    x = _rows_at(data, typical_row(data), [0], np.array([[10.0], [55.0]]))
    assert torch.equal(prep.with_leaves(x), x)


@pytest.mark.slow
def test_they_are_the_same_for_rows_on_disk_and_go_through_json(tmp_path) -> None:
    frame = table(6000)
    frame.to_csv(tmp_path / "t.csv", index=False)
    held = load(tmp_path / "t.csv", target="y", trees=4)
    far = load(tmp_path / "t.csv", target="y", trees=4, max_memory="2MB")
    assert far.preparation == held.preparation
    assert torch.equal(far.train.x.index_select(0, torch.arange(len(held.train))), held.train.x)
    written = held.preparation.to_json()
    assert Preparation.from_document(PreparationDocument.model_validate(written)) == held.preparation
    assert "trees" not in load(tmp_path / "t.csv", target="y").preparation.to_json()
    for change in ({"columns": [0]}, {"columns": [-1] * 7}, {"thresholds": ["a"] * 7}):
        broken = written | {"trees": [written["trees"][0] | change]}
        with pytest.raises(ValueError, match="validation error"):
            PreparationDocument.model_validate(broken)
    broken = written | {"trees": [written["trees"][0] | {"columns": [10_000] * 7}, *written["trees"][1:]]}
    assert (
        refusal_of(Preparation.from_document, PreparationDocument.model_validate(broken)).rule
        == "preparation_damaged"
    )


@pytest.mark.slow
def test_they_are_fitted_once_where_bins_make_too_many_inputs(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, fitted = load(frame, target="y", trees=2), []
    monkeypatch.setattr(fit, "fit_trees", lambda *given: fitted.append(given) or fit_trees(*given))
    data = load(frame, target="y", trees=2, inputs="bins", bins=32, most_inputs=40)
    assert len(fitted) == 1
    assert data.preparation.trees == plain.preparation.trees
    assert torch.equal(data.train.x, plain.train.x)


def test_a_run_sees_them_and_takes_them_elsewhere(frame: pd.DataFrame, tmp_path, monkeypatch) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    run = tr.fit(
        tmp_path / "t.csv", target="y", recipe="table", trees=3, ensemble=2, epochs=3, parent=tmp_path
    )
    assert run.settings["trees"] == 3
    new = table(30).drop(columns="y")
    wanted = run.predict(new)["prediction"].to_numpy()
    np.testing.assert_allclose(tr.open(run.path).predict(new)["prediction"], wanted)
    checked = exported(run, "onnx")  # compares the model with the run
    assert checked.apart is not None
    assert checked.apart <= 1e-5
    new.to_csv(tmp_path / "new.csv", index=False)
    monkeypatch.setattr("sys.argv", ["run.py", "predict", str(tmp_path / "new.csv")])
    script = exported(run, "script").paths[0]
    assert "leaf_inputs" in script.read_text()
