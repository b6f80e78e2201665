"""Column importance against scikit-learn; the coverage of its intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.inspection import permutation_importance
from torch import nn
from torch.utils.data import TensorDataset

import treino as tr
from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data import Data, load
from treino.engine.losses import Loss
from treino.inspection.feature_importance import correlated_columns, importances

Trainer = Callable[..., nn.Sequential]


class Wrapped(ClassifierMixin, BaseEstimator):
    """A network as scikit-learn sees an estimator."""

    def __init__(self, net: nn.Module, classes: int) -> None:
        self.net = net
        self.classes = classes
        self.classes_ = np.arange(classes)

    def fit(self, x: Any, y: Any) -> "Wrapped":
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.net(torch.tensor(x)).detach().double().softmax(1).numpy()

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.net(torch.tensor(x)).detach().argmax(1).numpy()


class Numbers(RegressorMixin, BaseEstimator):
    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def fit(self, x: Any, y: Any) -> "Numbers":
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.net(torch.tensor(x)).detach()[:, 0].double().numpy()


def sklearns_seed(seed: int) -> int:
    """The seed that scikit-learn draws for its shuffles out of ``random_state=seed``."""
    return int(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))


def theirs(model: Any, x: Any, y: Any, scoring: str, repeats: int = 4) -> np.ndarray:
    found = permutation_importance(model, x, y, scoring=scoring, n_repeats=repeats, random_state=3)
    return np.asarray(found.importances_mean)


def test_loss_and_metric_are_scikit_learns(iris: Data, diabetes: Data, trainer: Trainer) -> None:
    net, rows = trainer(iris), iris.test
    ours = importances(net, iris, Loss("cross_entropy"), repeats=4, seed=sklearns_seed(3))
    place = [iris.features.index(name) for name in ours.names]
    for scoring, cost in (("neg_log_loss", ours.loss), ("accuracy", ours.worse)):
        expected = theirs(Wrapped(net, 3), rows.x.numpy(), rows.y.numpy(), scoring)[place]
        np.testing.assert_allclose(cost.mean_K, expected, atol=1e-6)
        assert (cost.low_K <= cost.mean_K).all()
    assert sorted(ours.loss.mean_K.tolist(), reverse=True) == ours.loss.mean_K.tolist()

    net, rows = trainer(diabetes), diabetes.test
    ours = importances(net, diabetes, Loss("mse"), repeats=4, seed=sklearns_seed(3))
    place = [diabetes.features.index(name) for name in ours.names]
    scale = diabetes.target_scale
    for scoring, cost, unit in (
        ("neg_mean_squared_error", ours.loss, 1.0),
        ("neg_root_mean_squared_error", ours.worse, scale),
    ):
        expected = theirs(Numbers(net), rows.x.numpy(), rows.y[:, 0].double().numpy(), scoring)[place]
        np.testing.assert_allclose(cost.mean_K, expected * unit, rtol=1e-4, atol=1e-5 * unit)


def test_columns_of_classes_and_dates_are_shuffled_as_they_stand_in_the_table(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.uniform(40, 200, 300),
            "city": rng.choice(["Rio", "Recife", "Natal"], 300),
            "sold": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 600, 300), unit="D"),
        }
    )
    frame["price"] = 1000 * frame["size"] + 50_000 * (frame.city == "Rio") + rng.normal(0, 2000, 300)
    run = tr.fit(frame, target="price", parent=tmp_path, epochs=8)
    ours = importances(run.module, run.data, run.loss_function, repeats=3, seed=sklearns_seed(3))
    assert len(run.data.preparation.inputs) > 3

    class Predicts(BaseEstimator):
        def fit(self, x: Any, y: Any) -> "Predicts":
            return self

        def predict(self, x: pd.DataFrame) -> np.ndarray:
            return run.predict(x)["prediction"].to_numpy()

    held = frame.iloc[run.data.test.index.numpy()]
    expected = theirs(
        Predicts().fit(None, None),
        held[["size", "city", "sold"]],
        held.price,
        "neg_root_mean_squared_error",
        3,
    )
    place = [("size", "city", "sold").index(name) for name in ours.names]
    np.testing.assert_allclose(ours.worse.mean_K, expected[place], rtol=1e-4, atol=1)


class Line(nn.Module):
    """2 x1 + x2 and nothing of x3: the truth is known."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :3] @ torch.tensor([[2.0], [1.0], [0.0]])


@pytest.mark.slow
def test_intervals_hold_what_they_promise() -> None:
    """Of y = 2 x1 + x2 + noise, shuffling x1 costs 2 · 2² in the mean squared error, x2 2, x3 nothing."""
    hits = {"loss": np.zeros(2), "worse": np.zeros(2)}
    times, rows = 100, 60
    root = {c: np.sqrt(c + 1.0) - 1.0 for c in (8.0, 2.0)}
    for seed in range(times):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(rows, 3)).astype(np.float32)
        y = (2 * x[:, 0] + x[:, 1] + rng.normal(size=rows)).astype(np.float32)
        data = load((x, y), task="regression", validation=0, test=0, normalise=False)
        net = nn.Sequential(Line(), Scaled(data.target_mean, data.target_scale))
        found = importances(net, data, Loss("mse"), repeats=10, seed=seed)
        assert found.names == ("x1", "x2", "x3")
        assert abs(found.loss.low_K[2]) < 1e-12
        assert abs(found.loss.high_K[2]) < 1e-12
        for k, true in enumerate((8.0, 2.0)):
            per_unit = data.target_scale**2
            hits["loss"][k] += found.loss.low_K[k] <= true / per_unit <= found.loss.high_K[k]
            hits["worse"][k] += found.worse.low_K[k] <= root[true] <= found.worse.high_K[k]
    for share in (hits["loss"] / times, hits["worse"] / times):
        assert (share > 0.88).all(), hits
        assert (share < 0.995).all(), hits


class Scaled(nn.Module):
    """From the target's own units to training's."""

    def __init__(self, mean: float, scale: float) -> None:
        super().__init__()
        self.mean, self.scale = mean, scale

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return (y - self.mean) / self.scale


def test_columns_that_go_together_are_found_and_shuffled_as_one(trainer: Trainer) -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=(400, 2))
    x = np.column_stack([base, np.exp(base[:, 0]) + 0.01 * rng.normal(size=400), rng.normal(size=400)])
    data = load((x, (base[:, 0] > 0).astype(int)), task="classification")
    found = importances(trainer(data), data, Loss("cross_entropy"))
    (group,) = found.together
    names = {found.names[k] for k in group.columns}
    assert names == {"x1", "x3"}
    rho = spearmanr(data.train.x[:, 0], data.train.x[:, 2]).statistic
    assert group.correlation == pytest.approx(rho, abs=1e-6)
    alone = [found.loss.mean_K[k] for k in group.columns]
    assert found.joint_loss.mean_K[0] > max(alone)
    assert (
        correlated_columns(
            torch.randn(500, 3, generator=torch.Generator().manual_seed(0)), [(0,), (1,), (2,)]
        )
        == ()
    )


def test_pixels_have_no_importance_of_their_own() -> None:
    pixels = load(TensorDataset(torch.rand(40, 1, 7, 7), torch.arange(40) % 2))
    with pytest.raises(TreinoError, match="no pixel matters") as caught:
        importances(nn.Linear(49, 2), pixels, Loss("cross_entropy"))
    assert "occlusion" in caught.value.hint


def test_what_cannot_be_measured_is_said(iris: Data) -> None:
    net = nn.Linear(4, 3)
    with torch.no_grad():
        net.weight.fill_(1e38)
    assert "not finite on" in str(refusal_of(importances, net, iris, Loss("cross_entropy")))
    lone = Data(**{**iris.__dict__, "test": iris.test[:1]})
    assert "needs two rows" in str(refusal_of(importances, nn.Linear(4, 3), lone, Loss("cross_entropy")))
