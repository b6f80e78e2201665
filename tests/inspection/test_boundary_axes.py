"""Permutation importance against scikit-learn's, on the same network and the same shuffles."""

import numpy as np
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
    columns = [(column,) for column in range(rows.x.shape[1])]
    ours = importance(net, rows.x, rows.y, columns, repeats=6, seed=sklearns_seed(3))
    np.testing.assert_allclose(ours, theirs.importances, atol=1e-12)
    assert ours.max() > 0.1  # the comparison is of something


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
