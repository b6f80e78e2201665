"""Baselines against scikit-learn used directly, and metrics against scikit-learn's."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.preprocessing import StandardScaler
from torch.utils.data import TensorDataset

from treino.data import Data, load
from treino.inspection import baselines as module
from treino.inspection.baselines import baselines
from treino.inspection.whitened_patches import multiplications, patch_features


def test_classes_equal_scikit_learn() -> None:
    wine = load("wine")
    found = baselines(wine)
    raw = load_wine()
    train, test = wine.train.index.numpy(), wine.test.index.numpy()
    scaler = StandardScaler().fit(raw.data[train])
    linear = LogisticRegression().fit(scaler.transform(raw.data[train]), raw.target[train])
    constant = DummyClassifier(strategy="prior").fit(raw.data[train], raw.target[train])
    for name, model in (("linear", linear), ("majority", constant)):
        x = scaler.transform(raw.data[test])
        share, said = model.predict_proba(x), model.predict(x)
        ours = found.metrics[name]
        assert ours["loss"] == pytest.approx(log_loss(raw.target[test], share), rel=1e-3)
        assert ours["accuracy"] == accuracy_score(raw.target[test], said)
        assert ours["f1_macro"] == pytest.approx(f1_score(raw.target[test], said, average="macro"))
    assert (found.split, found.rows, found.notes) == ("test", len(wine.test), ())
    assert set(found.metrics) == {"majority", "linear"}


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_trees_equal_scikit_learn_where_they_are_asked_for(name: str) -> None:
    data = load(name)
    found = baselines(data, full=True).metrics
    assert "trees" not in baselines(data).metrics
    x, y, test = data.train.x.numpy(), data.train.y.numpy(), data.test
    if data.classes:
        trees = HistGradientBoostingClassifier(random_state=0).fit(x, y)
        assert found["trees"]["accuracy"] == trees.score(test.x.numpy(), test.y.numpy())
        share = trees.predict_proba(test.x.numpy())
        assert found["trees"]["loss"] == pytest.approx(log_loss(test.y.numpy(), share), rel=1e-5)
    else:
        trees = HistGradientBoostingRegressor(random_state=0).fit(x, y[:, 0])
        assert found["trees"]["r2"] == pytest.approx(
            trees.score(test.x.numpy(), test.y[:, 0].numpy()), rel=1e-5
        )


def test_numbers_equal_scikit_learn(diabetes: Data) -> None:
    found = baselines(diabetes)
    raw = load_diabetes()
    train, test = diabetes.train.index.numpy(), diabetes.test.index.numpy()
    scaler = StandardScaler().fit(raw.data[train])
    own = raw.target[train]
    linear = Ridge(alpha=1.0).fit(scaler.transform(raw.data[train]), (own - own.mean()) / own.std())
    x, true = scaler.transform(raw.data[test]), raw.target[test]
    constant = DummyRegressor().fit(raw.data[train], own).predict(x)
    for name, said in (("linear", linear.predict(x) * own.std() + own.mean()), ("mean", constant)):
        ours = found.metrics[name]
        assert ours["rmse"] == pytest.approx(root_mean_squared_error(true, said), rel=1e-5)
        assert ours["mae"] == pytest.approx(mean_absolute_error(true, said), rel=1e-5)
        assert ours["r2"] == pytest.approx(r2_score(true, said), rel=1e-4, abs=1e-6)
        assert ours["loss"] == pytest.approx((root_mean_squared_error(true, said) / own.std()) ** 2, rel=1e-4)


def test_a_class_that_training_never_saw_costs_a_finite_loss() -> None:
    data = load("iris")
    rows = data.train.y != 1
    train = type(data.train)(data.train.x[rows], data.train.y[rows], data.train.index[rows])
    found = baselines(Data(**{**data.__dict__, "train": train}))
    for name in ("majority", "linear"):
        assert np.isfinite(found.metrics[name]["loss"])
    assert found.metrics["linear"]["accuracy"] < 0.7


@pytest.mark.parametrize("source", ["digits", "diabetes"])
def test_large_data_is_fitted_on_a_share_and_a_note_says_so(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = baselines(load(source))
    monkeypatch.setattr(module, "WORK", 5e6 if source == "digits" else 1e4)
    found = baselines(load(source))
    assert len(found.notes) == 1
    assert str(len(load(source).train)) in found.notes[0]
    assert found.metrics["linear"] != whole.metrics["linear"]
    metric = "accuracy" if source == "digits" else "r2"
    assert found.metrics["linear"][metric] > 0.3
    assert found == baselines(load(source))


def own_table(rows: int = 600) -> pd.DataFrame:
    r = np.random.default_rng(2)
    a, kind = r.normal(size=rows), r.choice(["red", "green", "blue"], rows)
    price = np.where(kind == "red", a, -a) + (kind == "blue") + r.normal(size=rows) / 10
    return pd.DataFrame({"a": a, "kind": kind, "price": price})


def test_a_table_of_ones_own_is_compared_with_trees_that_know_classes() -> None:
    """scikit-learn's own way with the frame's columns, for the rows that treino tests on."""
    frame = own_table()
    data = load(frame, target="price", inputs="bins", bins=4)
    found = baselines(data).metrics["trees"]
    x = frame[["a", "kind"]].assign(kind=frame["kind"].astype("category"))
    train, test = data.train.index.numpy(), data.test.index.numpy()
    trees = HistGradientBoostingRegressor(random_state=0, categorical_features="from_dtype")
    trees.fit(x.iloc[train], frame["price"].iloc[train])
    assert found["r2"] == pytest.approx(trees.score(x.iloc[test], frame["price"].iloc[test]), abs=2e-3)


def test_trees_on_a_share_of_the_rows_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELL_SECONDS", 1e-4)
    found = baselines(load(own_table(), target="price"))
    assert "The trees were fitted on 91 of 420 training rows, in 100 rounds." in found.notes
    assert found.metrics["trees"]["r2"] > 0


# ---- whitened patches


def stripes(rows: int, channels: int, side: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy stripes of any phase, upright or lying: no pixel says which."""
    rng = np.random.default_rng(seed)
    y_N = np.arange(rows) % 2
    phase_N, place_S = rng.uniform(0, 2 * np.pi, rows), np.arange(side)
    wave_NS = np.sin(0.8 * place_S + phase_N[:, None])
    x = np.broadcast_to(wave_NS[:, None, None], (rows, channels, side, side)).copy()
    x[y_N == 1] = x[y_N == 1].swapaxes(-1, -2)
    x += rng.normal(0, 0.5, x.shape)
    return torch.from_numpy(x).float(), torch.from_numpy(y_N)


def pictures(kind: str, side: int = 16) -> Data:
    (x, y), (test_x, test_y) = stripes(120, 2, side, 0), stripes(80, 2, side, 1)
    if kind == "regression":
        y, test_y = (3 * t + torch.linspace(0, 0.1, len(t)) for t in (y, test_y))
    return load({"train": TensorDataset(x, y), "test": TensorDataset(test_x, test_y)}, validation=0.0)


@pytest.mark.parametrize(("kind", "figure"), [("classification", "accuracy"), ("regression", "r2")])
def test_patches_know_what_a_linear_model_of_pixels_does_not(kind: str, figure: str) -> None:
    data = pictures(kind)
    found = baselines(data)
    assert found.metrics["patches"][figure] > 0.9
    assert found.metrics["linear"][figure] < 0.7
    assert baselines(data) == found


@pytest.mark.parametrize(
    ("channels", "side", "patch", "stride"), [(1, 9, 3, 1), (3, 17, 6, 1), (2, 25, 6, 2)]
)
def test_features_are_those_of_each_patch_by_itself(
    channels: int, side: int, patch: int, stride: int
) -> None:
    """Coates & Ng: without its mean and deviation, whitened, a soft threshold, means of quadrants."""
    x = stripes(6, channels, side, 0)[0] + torch.arange(6)[:, None, None, None]
    made = patch_features(x)
    weight_KD = made.weight_KCHW.flatten(1).double().numpy()
    starts = range(0, side - patch + 1, stride)
    like = np.empty((6, len(weight_KD), len(starts), len(starts)))
    for n, (i, top), (j, left) in itertools.product(range(6), enumerate(starts), enumerate(starts)):
        piece_D = x[n, :, top : top + patch, left : left + patch].double().numpy().ravel()
        piece_D = (piece_D - piece_D.mean()) / np.sqrt(piece_D.var() + made.spread)
        like[n, :, i, j] = weight_KD @ piece_D - made.bias_K.numpy()
    up, down = (np.maximum(sign * like - 0.25, 0) for sign in (1, -1))
    half, rest = -(-len(starts) // 2), len(starts) // 2  # an odd middle counts on both sides
    wanted = [
        f[..., rows, columns].mean((-1, -2))
        for f in (up, down)
        for rows, columns in itertools.product((slice(half), slice(rest, None)), repeat=2)
    ]
    theirs = np.stack([np.stack(wanted[i : i + 4], -1) for i in (0, 4)], 1).reshape(6, -1)
    assert made.weight_KCHW.shape[2:] == (patch, patch)
    np.testing.assert_allclose(made(x), theirs, atol=2e-5)
    np.testing.assert_allclose(made(3 * x + 5), made(x), atol=0.05)  # neither brightness nor contrast


def test_patches_are_of_pictures_alone_and_on_a_share_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "patches" not in baselines(load("digits")).metrics
    monkeypatch.setattr(module, "PATCHES_WORK", 60 * multiplications((2, 16, 16)))
    found = baselines(pictures("classification"))
    assert any("60" in note and "120" in note for note in found.notes)
    assert found.metrics["patches"]["accuracy"] > 0.9


def test_weighted_rows_equal_scikit_learn_with_sample_weight() -> None:
    x, y = load_wine(return_X_y=True)
    data = load((x, y, np.random.default_rng(0).random(len(y)) + 0.1))
    found = baselines(data, full=True).metrics
    train, test = data.train, data.test
    weight_N = train.weight.numpy() / train.weight.numpy().mean()
    models = {
        "linear": LogisticRegression().fit(train.x, train.y, weight_N),
        "majority": DummyClassifier(strategy="prior").fit(train.x, train.y, weight_N),
        "trees": HistGradientBoostingClassifier(random_state=0).fit(train.x, train.y, weight_N),
    }
    for name, model in models.items():
        assert found[name]["accuracy"] == pytest.approx(model.score(test.x, test.y, test.weight))
        share = model.predict_proba(test.x)
        wanted = log_loss(test.y, share, sample_weight=test.weight.double())
        assert found[name]["loss"] == pytest.approx(wanted, rel=1e-3)
    numbers = load((x[:, 1:], x[:, 0], data.train.weight.new_ones(len(y)) * 2), data_seed=1)
    again = load((x[:, 1:], x[:, 0]), data_seed=1)
    assert baselines(numbers).metrics["mean"] == pytest.approx(baselines(again).metrics["mean"])
