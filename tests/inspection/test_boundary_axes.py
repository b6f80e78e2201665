"""Permutation importance against scikit-learn's, on the same network and the same shuffles."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance
from torch import nn

from treino.data import Data
from treino.inspection.feature_importance import importance, steepest


class Wrapped(BaseEstimator):
    """The network as scikit-learn sees an estimator."""

    def __init__(self, net: nn.Module, classes: bool = True) -> None:
        self.net = net
        self.classes = classes

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Wrapped":
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        out = self.net(torch.from_numpy(x)).detach()
        return out.argmax(1).numpy() if self.classes else out[:, 0].numpy()


def sklearns_seed(seed: int) -> int:
    """The seed that scikit-learn draws for its shuffles out of ``random_state=seed``."""
    return int(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))


def test_classes_equal_scikit_learn(iris: Data, trainer) -> None:
    net = trainer(iris)
    rows = iris.validation
    theirs = permutation_importance(
        Wrapped(net), rows.x.numpy(), rows.y.numpy(), scoring="accuracy", n_repeats=6, random_state=3
    )
    ours = importance(net, rows.x, rows.y, repeats=6, seed=sklearns_seed(3))
    np.testing.assert_allclose(ours.drop_KR, theirs.importances, atol=1e-12)
    np.testing.assert_allclose(ours.mean_K, theirs.importances_mean, atol=1e-12)
    assert ours.drop_KR.max() > 0.1  # the comparison is of something
    assert ours.largest(2) == tuple(np.argsort(-theirs.importances_mean, kind="stable")[:2])
    assert ours.rows == len(rows)


def test_numbers_equal_scikit_learn(diabetes: Data, trainer) -> None:
    net = trainer(diabetes)
    rows = diabetes.test
    theirs = permutation_importance(
        Wrapped(net, classes=False),
        rows.x.numpy(),
        rows.y[:, 0].numpy(),
        scoring="neg_mean_squared_error",
        n_repeats=3,
        random_state=1,
    )
    ours = importance(net, rows.x, rows.y, repeats=3, seed=sklearns_seed(1))
    np.testing.assert_allclose(ours.drop_KR, theirs.importances, atol=1e-5)
    assert ours.mean_K.max() > 0.05


def test_only_the_columns_asked_for_and_the_rows_stay_as_they_were(iris: Data, trainer) -> None:
    net, x = trainer(iris), iris.validation.x
    before = x.clone()
    every = importance(net, x, iris.validation.y)
    some = importance(net, x, iris.validation.y, columns=[3, 1])
    assert torch.equal(x, before)
    np.testing.assert_array_equal(some.drop_KR, every.drop_KR[[3, 1]])
    assert some.columns.tolist() == [3, 1]


def test_an_input_that_is_not_used_costs_nothing(iris: Data, trainer) -> None:
    net = trainer(iris)
    with torch.no_grad():
        net[0].weight[:, 2] = 0
    drop_KR = importance(net, iris.validation.x, iris.validation.y).drop_KR
    assert (drop_KR[2] == 0).all()


def test_repeatable_and_seeded(iris: Data, trainer) -> None:
    net, rows = trainer(iris), iris.validation
    state = torch.random.get_rng_state()
    first = importance(net, rows.x, rows.y, seed=1).drop_KR
    np.testing.assert_array_equal(first, importance(net, rows.x, rows.y, seed=1).drop_KR)
    assert (first != importance(net, rows.x, rows.y, seed=2).drop_KR).any()
    assert torch.equal(state, torch.random.get_rng_state())


def test_steepest_of_a_linear_net_is_its_largest_weights() -> None:
    net = nn.Linear(50, 1, bias=False)
    weight = torch.randn(50, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        net.weight[0] = weight
    x = torch.randn(300, 50, generator=torch.Generator().manual_seed(0))
    found = steepest(net, x, 7)
    expected = torch.argsort((weight.abs() * x.std(0, correction=0)), descending=True)[:7]
    assert found == tuple(sorted(expected.tolist()))
    assert net.weight.grad is None


def test_steepest_lets_a_column_in_other_units_count_by_its_spread() -> None:
    net = nn.Linear(3, 1)
    with torch.no_grad():
        net.weight[0] = torch.tensor([1.0, 0.01, 0.5])
    x = torch.randn(200, 3) * torch.tensor([1.0, 1000.0, 1.0])
    assert steepest(net, x, 1) == (1,)


@pytest.mark.parametrize("loss", ["bce"])
def test_one_logit(moons: Data, trainer, loss: str) -> None:
    net = trainer(moons, outputs=1)
    rows = moons.validation
    found = importance(net, rows.x, rows.y)
    said = (net(rows.x)[:, 0] > 0).long()
    assert found.score == pytest.approx(float((said == rows.y).double().mean()))
