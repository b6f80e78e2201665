"""The numbers behind the boundary against scikit-learn, and traced back to the rows they came from."""

import dataclasses
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.metrics import accuracy_score, r2_score, recall_score, root_mean_squared_error
from sklearn.preprocessing import StandardScaler
from torch import nn

import treino as tr
from tests.conftest import refusal_of
from treino.data import Data, load
from treino.inspection import boundary as module
from treino.inspection.boundary import boundary, principal_components, sight
from treino.inspection.feature_importance import steepest
from treino.inspection.input_planes import Plane
from treino.inspection.intervals import wilson
from treino.plots.captions import warning_sentences


class Raw(ClassifierMixin, BaseEstimator):
    """The network on raw rows, prepared by scikit-learn's scaler and not by ours."""

    def __init__(self, net: nn.Module, scaler: StandardScaler) -> None:
        self.net = net
        self.scaler = scaler
        self.classes_ = np.arange(net[-1].out_features)

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Raw":
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.net(torch.from_numpy(self.scaler.transform(x)).float()).softmax(1).detach().numpy()

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.predict_proba(x).argmax(1)


def raw_wine(features: list[str] | None = None) -> np.ndarray:
    frame = load_wine(as_frame=True).data
    return (frame[features] if features else frame).to_numpy()


def test_the_grid_is_scikit_learns(wine2: Data, trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    net = trainer(wine2)
    raw_ND = raw_wine(["alcohol", "color_intensity"])
    estimator = Raw(net, StandardScaler().fit(raw_ND[wine2.train.index.numpy()]))
    theirs = DecisionBoundaryDisplay.from_estimator(
        estimator, raw_ND, grid_resolution=25, response_method="predict", plot_method="pcolormesh"
    )
    axes = iter([theirs.xx0[0], theirs.xx1[:, 0]])
    monkeypatch.setattr(module, "grid", lambda values, resolution: next(axes))
    ours = boundary(net, wine2, resolution=25)
    assert ours.axes.view == "all"
    assert len(np.unique(theirs.response)) == 3
    np.testing.assert_array_equal(ours.winner_RR, theirs.response)
    at = np.stack(np.meshgrid(ours.x_R, ours.y_R), -1).reshape(-1, 2)
    np.testing.assert_allclose(ours.probability_RRC.reshape(-1, 3), estimator.predict_proba(at), atol=1e-4)


def test_points_lie_at_the_sources_own_values(wine2: Data, trainer) -> None:
    net = trainer(wine2)
    raw_ND, target = raw_wine(["alcohol", "color_intensity"]), load_wine().target
    plane = boundary(net, wine2, resolution=10)
    assert [p.split for p in plane.points] == ["train", "validation", "test"]
    assert sum(len(p) for p in plane.points) == 178
    for p in plane.points:
        np.testing.assert_allclose(p.at_NK, raw_ND[p.index_N], rtol=1e-5)
        np.testing.assert_array_equal(p.true_N, target[p.index_N])
        said = net(wine2.splits[p.split].x).argmax(1).numpy()
        np.testing.assert_array_equal(p.predicted_N, said)
        np.testing.assert_array_equal(p.wrong_N, said != p.true_N)
    everything = np.concatenate([p.at_NK for p in plane.points])
    assert plane.x_R[0] < everything[:, 0].min() < everything[:, 0].max() < plane.x_R[-1]
    assert plane.y_R[0] < everything[:, 1].min() < everything[:, 1].max() < plane.y_R[-1]
    assert plane.agreement == 1.0
    test = wine2.test
    assert plane.score.accuracy == accuracy_score(test.y, net(test.x).argmax(1))
    assert plane.score.rows == len(test)
    assert plane.score.interval == wilson(plane.score.right, len(test))


def test_many_inputs_are_seen_along_the_two_whose_plane_is_most_like_the_network(trainer) -> None:
    wine = load("wine")
    net = trainer(wine)
    plane = boundary(net, wine, resolution=15)
    raw_ND = raw_wine()
    scaler = StandardScaler().fit(raw_ND[wine.train.index.numpy()])
    estimator = Raw(net, scaler)
    train_ND = raw_ND[wine.train.index.numpy()]
    own_N = estimator.predict(train_ND)

    def agreement(pair: tuple[int, ...]) -> float:  # each answered class counts alike
        there_ND = np.tile(np.median(train_ND, axis=0), (len(train_ND), 1))
        there_ND[:, pair] = train_ND[:, pair]
        return float(recall_score(own_N, estimator.predict(there_ND), average="macro"))

    shown = tuple(wine.features.index(name) for name in plane.axes.axis_names)
    assert agreement(shown) == max(map(agreement, combinations(range(13), 2)))
    axes = plane.axes
    assert (axes.view, axes.view_split, axes.view_rows) == ("important", "train", len(wine.train))
    # all others at the training medians
    first, second = (wine.features.index(name) for name in plane.axes.axis_names)
    row_ND = np.tile(np.median(raw_ND[wine.train.index.numpy()], axis=0), (225, 1))
    row_ND[:, [first, second]] = np.stack(np.meshgrid(plane.x_R, plane.y_R), -1).reshape(-1, 2)
    np.testing.assert_allclose(
        plane.probability_RRC.reshape(-1, 3), estimator.predict_proba(row_ND), atol=1e-4
    )
    # the share of rows on which the picture says what the network says
    flat_ND = np.tile(np.median(raw_ND[wine.train.index.numpy()], axis=0), (178, 1))
    flat_ND[:, [first, second]] = raw_ND[:, [first, second]]
    agreed = estimator.predict(flat_ND) == estimator.predict(raw_ND)
    assert 0.3 < agreed.mean() < 1
    assert plane.agreement == pytest.approx(agreed.mean())
    assert plane.agreement_rows == 178


def test_columns_that_show_little_name_two_that_show_more(trainer) -> None:
    wine = load("wine")
    net = trainer(wine)
    asked = boundary(net, wine, axes=["ash", "magnesium"], resolution=5)
    usual = boundary(net, wine, resolution=5)
    assert asked.agreement < 0.6 < usual.agreement
    assert asked.better == (usual.axes.axis_names, pytest.approx(usual.agreement))
    names = ",".join(usual.axes.axis_names)
    assert f"axes='{names}'" in " ".join(warning_sentences(asked, list(asked.classes)))
    assert usual.better is None


def test_before_training_the_columns_that_separate_the_classes_are_chosen() -> None:
    draw = np.random.default_rng(3)
    y = np.arange(240) % 3
    x = draw.normal(size=(240, 15))
    x[:, 9] += 4 * (y == 1)
    x[:, 4] += 4 * (y == 2)
    data = load((x, y))
    names = {sight(nn.Linear(15, 3), data, trained=False).columns for _again in range(3)}
    assert [set(each) for each in names] == [{4, 9}]
    lda = {
        pair: LinearDiscriminantAnalysis().fit(x[:, pair], y).score(x[:, pair], y)
        for pair in combinations(range(15), 2)
    }
    assert max(lda, key=lda.__getitem__) == (4, 9)


@pytest.mark.parametrize(
    ("axes", "rule", "says"),
    [
        (["alcool", "color_intensity"], "axes_unknown", "alcohol"),
        (["alcohol"], "axes_two", "alcohol,color_intensity"),
        ([], "axes_two", "alcohol,color_intensity"),
        (["alcohol", "alcohol"], "axes_two", "alcohol,color_intensity"),
        (["alcohol", "color_intensity", "alcohol"], "axes_two", "alcohol,color_intensity"),
    ],
)
def test_axes_that_cannot_be(wine2: Data, trainer, axes: list[str], rule: str, says: str) -> None:
    caught = refusal_of(boundary, trainer(wine2, steps=0), wine2, axes=axes)
    assert caught.rule == rule
    assert caught.status == 2
    assert says in caught.hint


def test_axes_mean_nothing_for_a_regression(diabetes: Data, trainer) -> None:
    caught = refusal_of(boundary, trainer(diabetes, steps=0), diabetes, axes=["bmi", "bp"])
    assert caught.rule == "axes_meaningless"


def test_a_class_that_wins_nowhere_is_named(wine2: Data, trainer) -> None:
    net = trainer(wine2)
    assert boundary(net, wine2, resolution=30).absent == ()
    with torch.no_grad():
        net[-1].bias[1] = -1e4
    assert boundary(net, wine2, resolution=30).absent == (1,)


def test_outputs_that_are_not_finite_are_no_class(wine2: Data) -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = torch.stack([x[:, 0], -x[:, 0], x[:, 1]], 1)
            return torch.where(x[:, :1] > 0, out, torch.nan)

    plane = boundary(Broken(), wine2, resolution=20)
    assert not plane.finite
    assert set(np.unique(plane.winner_RR)) <= {-1, 0, 2}
    assert (plane.winner_RR[:, 0] == -1).all()


def test_one_input_gives_probability_curves(trainer) -> None:
    data = load("wine", features=["flavanoids"])
    net = trainer(data)
    line = boundary(net, data, resolution=50)
    scaler = StandardScaler().fit(raw_wine(["flavanoids"])[data.train.index.numpy()])
    np.testing.assert_allclose(line.value_RC, Raw(net, scaler).predict_proba(line.x_R[:, None]), atol=1e-5)
    assert line.axis_name == "flavanoids"
    assert set(line.absent) == set(range(3)) - set(line.value_RC.argmax(1))


def test_a_regression_is_drawn_in_its_own_units(diabetes: Data, trainer) -> None:
    net = trainer(diabetes)
    fit = boundary(net, diabetes)
    raw = load_diabetes()
    said = {}
    for p in fit.points:
        np.testing.assert_allclose(p.true_N, raw.target[p.index_N], rtol=1e-6)
        said[p.split] = p.predicted_N
    test = diabetes.test
    own = raw.target[diabetes.train.index.numpy()]
    expected = net(test.x)[:, 0].detach().double().numpy() * own.std() + own.mean()
    np.testing.assert_allclose(said["test"], expected, rtol=1e-5)
    true = raw.target[test.index.numpy()]
    assert fit.score.r2 == pytest.approx(r2_score(true, expected), rel=1e-5)
    assert fit.score.rmse == pytest.approx(root_mean_squared_error(true, expected), rel=1e-5)


def images(rows: int = 60) -> Data:
    """Noisy 4 × 4 images of two classes."""
    random = np.random.RandomState(0)
    y = random.randint(0, 2, rows)
    x = random.randn(rows, 16) + 3 * y[:, None] * np.linspace(0, 1, 16)
    data = load(
        pd.DataFrame(x, columns=[f"p{k}" for k in range(16)]).assign(t=np.where(y, "b", "a")), target="t"
    )
    return dataclasses.replace(data, kind="image", item_shape=(1, 4, 4))


def test_pixels_are_seen_on_their_principal_components(trainer) -> None:
    data = images()
    net = trainer(data)
    plane = boundary(net, data, resolution=11)
    assert plane.axes.view == "components"
    theirs = PCA(2).fit(data.train.x.double().numpy())
    assert plane.axes.variance is not None
    np.testing.assert_allclose(plane.axes.variance, theirs.explained_variance_ratio_, rtol=1e-6)
    sign = np.sign(theirs.components_[[0, 1], np.abs(theirs.components_).argmax(1)])
    at = theirs.transform(data.test.x.double().numpy()) * sign
    np.testing.assert_allclose(plane.points[2].at_NK, at, atol=1e-4)
    places = np.stack(np.meshgrid(plane.x_R, plane.y_R), -1).reshape(-1, 2)
    back = torch.from_numpy(theirs.inverse_transform(places * sign)).float()
    np.testing.assert_allclose(
        plane.probability_RRC.reshape(-1, 2), net(back).softmax(1).detach().numpy(), atol=1e-4
    )
    flat = torch.from_numpy(
        theirs.inverse_transform(theirs.transform(torch.cat([r.x for r in data.splits.values()]).double()))
    ).float()
    every = torch.cat([r.x for r in data.splits.values()])
    assert plane.agreement == pytest.approx(
        float((net(flat).argmax(1) == net(every).argmax(1)).double().mean())
    )


def test_a_net_that_wants_images(trainer) -> None:
    data = images()
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    assert isinstance(boundary(net, data, resolution=5, item_shape=data.item_shape), Plane)
    seen = boundary(net, data, axes=["p0", "p15"], resolution=5, item_shape=data.item_shape)
    assert seen.axes.view == "given"


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_principal_components_of_both_shapes(shape: tuple[int, int]) -> None:
    x = np.random.RandomState(0).randn(*shape) @ np.diag(np.linspace(1, 4, shape[1]))
    mean, axes, share = principal_components(x)
    theirs = PCA().fit(x)
    np.testing.assert_allclose(np.abs(axes @ theirs.components_[:2].T), np.eye(2), atol=1e-8)
    np.testing.assert_allclose(share, theirs.explained_variance_ratio_[:2], rtol=1e-8)
    np.testing.assert_allclose(mean, x.mean(0))


def test_a_run_that_is_to_go_on_does_not_look_at_its_test_rows(iris: Data, trainer) -> None:
    plane = boundary(trainer(iris), iris, resolution=8, splits=("train", "validation"))
    assert [p.split for p in plane.points] == ["train", "validation"]
    assert plane.score.split == "validation"
    assert plane.agreement_rows == len(iris.train) + len(iris.validation)


def test_many_rows_are_drawn_from_and_counted(trainer) -> None:
    random = np.random.RandomState(0)
    x = random.randn(4000, 2)
    data = load((x, (x[:, 0] > 0).astype(int)))
    net = trainer(data)
    plane = boundary(net, data, resolution=8)
    shown = {p.split: (len(p), p.total) for p in plane.points}
    assert shown == {"train": (1000, len(data.train)), "validation": (300, 600), "test": (300, 600)}
    assert plane.score.rows == 600  # the figure is of all rows, not of those that are drawn
    for p in plane.points:
        np.testing.assert_allclose(p.at_NK, x[p.index_N], atol=1e-5)
        assert len(set(p.index_N)) == len(p)
    again = boundary(net, data, resolution=8)
    np.testing.assert_array_equal(again.points[0].index_N, plane.points[0].index_N)


@pytest.mark.parametrize("columns", [["c", "a"], ["a", "c"]])
def test_two_columns_are_the_axes_in_the_order_in_which_they_are_named(
    tmp_path: Path, columns: list[str]
) -> None:
    """... also where one has gaps, which are an input of their own, and the other decides alone."""
    chance = np.random.default_rng(0)
    table = pd.DataFrame(chance.random((90, 3)), columns=["a", "b", "c"])
    table["y"] = np.where(table.a > 0.5, "high", "low")
    table.loc[::7, "c"] = np.nan
    run = tr.fit(table, target="y", features=columns, parent=tmp_path, steps=40, recipe="plain")
    assert run.data.inputs == 3
    assert sight(run.at(40).net, run.data).axis_names == tuple(columns)


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
