"""The built-in sets: scikit-learn's as scikit-learn has them, the generated ones as documented."""

import numpy as np
import pytest
import torch
from sklearn import datasets

from treino.base.errors import TreinoError
from treino.data import BUILTINS, load
from treino.data.builtins import BUILTINS as REGISTRY

TABLES = [name for name in BUILTINS if "mnist" not in name]


@pytest.mark.parametrize("name", TABLES)
def test_the_registry_says_what_the_set_is(name: str) -> None:
    entry, data = BUILTINS[name], load(name)
    assert sum(map(len, data.splits.values())) == entry.rows
    assert len(data.features) == data.inputs == entry.features
    assert data.task == entry.task
    assert data.name == data.source == name
    assert data.sha256 is None
    assert data.kind == "table"
    assert data.item_shape == (entry.features,)
    assert not data.official_test
    for rows in data.splits.values():
        assert rows.x.is_contiguous()
        assert rows.x.dtype == torch.float32
        assert rows.x.isfinite().all()


@pytest.mark.parametrize("name", ["wine", "iris", "digits", "breast_cancer", "diabetes"])
def test_equal_to_scikit_learn(name: str) -> None:
    bunch = getattr(datasets, f"load_{name}")()
    data = load(name, validation=0, test=0, normalise=False)
    np.testing.assert_array_equal(data.train.x, bunch.data.astype(np.float32))
    assert list(data.features) == [f.removesuffix(" (cm)").replace(" ", "_") for f in bunch.feature_names]
    if name == "diabetes":
        np.testing.assert_allclose(
            data.train.y[:, 0] * data.target_scale + data.target_mean, bunch.target, rtol=1e-5
        )
    else:
        assert data.classes == tuple(str(c) for c in bunch.target_names)
        np.testing.assert_array_equal(data.train.y, bunch.target)


@pytest.mark.parametrize("name", ["moons", "circles"])
def test_equal_to_scikit_learns_generators(name: str) -> None:
    x_N2, y_N = REGISTRY[name].read(name), None
    options = {"moons": {"noise": 0.2}, "circles": {"noise": 0.1, "factor": 0.5}}[name]
    expected, y_N = getattr(datasets, f"make_{name}")(1000, random_state=0, **options)
    np.testing.assert_allclose(
        np.stack([c.numbers for c in x_N2.columns[:2]], 1), expected, rtol=0, atol=1e-12
    )
    assert [int(word) for word in x_N2.columns[2].words] == y_N.tolist()


def _points(name: str) -> tuple[np.ndarray, np.ndarray]:
    first, second, target = REGISTRY[name].read(name).columns
    y_N = [int(word) for word in target.words] if target.words is not None else target.numbers
    return np.stack([first.numbers, second.numbers], 1), np.array(y_N)


def test_opposite_quarters_of_xor_are_one_class() -> None:
    x_N2, y_N = _points("xor")
    clear_N = np.abs(x_N2).min(axis=1) > 0.3  # three deviations of the noise from the cross
    assert clear_N.mean() > 0.5
    assert ((np.prod(x_N2, axis=1) < 0) == y_N)[clear_N].all()
    assert 400 < y_N.sum() < 600


def test_a_plane_through_the_points_of_plane_leaves_its_noise() -> None:
    x_N2, y_N = _points("plane")
    (a, b, c), (squares,), *_ = np.linalg.lstsq(np.column_stack([x_N2, np.ones(1000)]), y_N, rcond=None)
    np.testing.assert_allclose([a, b, c], [1, 1, 0], atol=0.02)
    np.testing.assert_allclose(np.sqrt(squares / 1000), 0.1, rtol=0.1)


def test_hills_and_hollows_of_multi_gauss_take_turns() -> None:
    x_N2, y_N = _points("multi_gauss")
    places = [(x, y) for y in (-0.45, 0.45) for x in (-0.7, 0, 0.7)]
    tops = [y_N[np.hypot(*(x_N2 - place).T) < 0.1].mean() for place in places]
    assert np.sign(tops).tolist() == [1, -1, 1, -1, 1, -1]
    assert np.abs(tops).min() > 0.7


def test_a_builtin_is_the_same_every_time() -> None:
    for name in ("spirals", "wine", "xor", "gauss", "plane", "multi_gauss"):
        a, b = load(name), load(name)
        assert torch.equal(a.train.x, b.train.x)
        assert torch.equal(a.test.index, b.test.index)
    assert not torch.equal(load("wine").train.index, load("wine", data_seed=1).train.index)


def test_a_builtin_has_its_own_target() -> None:
    assert load("wine", target="target").target == "target"
    with pytest.raises(TreinoError, match="its own target 'target'; it can't be 'alcohol'") as error:
        load("wine", target="alcohol")
    assert error.value.rule == "target_fixed"
