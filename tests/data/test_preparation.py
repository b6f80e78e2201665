"""Preparation: scikit-learn's scaler as the oracle, exact on the way to JSON and back."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import StandardScaler

from tests.conftest import refusal_of
from tests.data.conftest import read_back
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.documents import PreparationDocument
from treino.data.preparation.preparation import Preparation, fit_table


def table(mean: tuple[float, ...], scale: tuple[float, ...]) -> Preparation:
    names = tuple(f"x{j}" for j in range(len(mean)))
    of_target: Any = {"task": "classification", "target": "y", "classes": ("a", "b")}
    of_inputs: Any = {"mean": mean, "scale": scale, "normalise": True, "item_shape": (len(mean),)}
    return Preparation(kind="table", features=names, **of_inputs, **of_target)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12),
        elements=st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-3),
    )
)
@settings(max_examples=50)
def test_fit_and_transform_equal_the_standard_scaler(raw_ND: np.ndarray) -> None:
    mean, scale = fit_table(raw_ND, normalise=True)
    scaler = StandardScaler().fit(raw_ND)
    constant_D = raw_ND.min(0) == raw_ND.max(0)
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        np.array(scale)[~constant_D], np.sqrt(scaler.var_)[~constant_D], rtol=1e-6, atol=1e-9
    )
    assert all(np.array(scale)[constant_D] == 0)
    x_ND = table(mean, scale).transform(raw_ND)
    assert x_ND.dtype == torch.float32
    wide_D = np.array(scale) > 1e-6 * np.abs(raw_ND).max(0)  # below, rounding decides
    np.testing.assert_allclose(x_ND[:, wide_D], scaler.transform(raw_ND)[:, wide_D], rtol=1e-5, atol=1e-6)


def test_a_column_constant_in_training_becomes_zero_and_comes_back_as_its_constant() -> None:
    mean, scale = fit_table(np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 3.0]]), normalise=True)
    preparation = table(mean, scale)
    x_ND = preparation.transform(np.array([[0.1, 2.0], [99.0, 2.0]]))
    assert x_ND.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert preparation.inverse(x_ND).tolist() == [[0.1, 2.0], [0.1, 2.0]]


def test_squares_that_would_overflow_are_fitted_all_the_same() -> None:
    raw_ND = np.array([[1e300], [-1e300], [3e300]])
    (mean,), (scale,) = fit_table(raw_ND, normalise=True)
    assert mean == pytest.approx(1e300)
    assert scale == pytest.approx(1e300 * np.sqrt(8 / 3))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_json_brings_every_float_back(numbers: list[float]) -> None:
    preparation = table(tuple(numbers), tuple(abs(n) for n in numbers))
    assert read_back(preparation) == preparation


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": [0.0], "scale": [1.0]},
        {"item_shape": [2]},
        {"format": 1, "mean": [0.0], "scale": [1.0]},
        {"labels": "number", "task": "classification", "classes": ["a", "b"]},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changes: dict) -> None:
    whole = load("diabetes").preparation.to_json()
    assert (
        refusal_of(Preparation.from_document, PreparationDocument.model_validate(whole | changes)).rule
        == "preparation_damaged"
    )


def test_a_wrong_number_of_columns_and_too_large_a_value_are_refused() -> None:
    with pytest.raises(TreinoError, match="3 columns, not 2") as error:
        table((0.0, 0.0), (1.0, 1.0)).transform(np.zeros((1, 3)))
    assert error.value.rule == "columns_count"
    with pytest.raises(TreinoError, match="'x1' holds 1e\\+300") as error:
        table((0.0, 0.0), (1.0, 1.0)).transform(np.array([[0.0, 1e300]]))
    assert error.value.rule == "value_range"


def test_a_regression_target_is_standardised_by_its_training_rows() -> None:
    from sklearn.datasets import load_diabetes

    data = load("diabetes")
    raw_N = load_diabetes().target
    assert data.target_mean == pytest.approx(raw_N[data.train.index].mean())
    assert data.target_scale == pytest.approx(raw_N[data.train.index].std())
    assert data.test.y.shape == (len(data.test), 1)
    assert data.test.y.dtype == torch.float32
    np.testing.assert_allclose(
        data.test.y[:, 0] * data.target_scale + data.target_mean, raw_N[data.test.index], rtol=1e-5
    )
