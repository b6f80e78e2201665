"""Bins of columns: an encoding by hand as the oracle, and which input belongs to which column."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.preparation.fit_columns import quantile_edges
from treino.data.preparation.interpreter import bins as bin_shares


def test_each_input_names_its_column() -> None:
    frame = pd.DataFrame({
        "size": [1.0, 2.0, None, 4.0, 5.0, 7.0] * 5, "colour": ["red", "blue", "green"] * 10,
        "day": pd.date_range("2024-01-01", periods=30, freq="9D"), "y": np.arange(30.0),
    })  # fmt: skip
    data = load(frame, target="y")
    owner = [data.features[place] for place in data.input_columns]
    assert len(owner) == data.inputs
    assert all(name.startswith(of) for name, of in zip(data.preparation.inputs, owner, strict=True))
    assert data.input_columns == tuple(sorted(data.input_columns))
    assert data.input_bins == (False,) * data.inputs


def test_pixels_and_plain_columns_are_their_own_inputs() -> None:
    assert load("wine").input_columns == tuple(range(13))
    images = load(TensorDataset(torch.rand(30, 1, 4, 4), torch.arange(30) % 3))
    assert images.input_columns == tuple(range(16))
    assert images.input_bins == (False,) * 16


def table(rows: int = 120) -> pd.DataFrame:
    r = np.random.default_rng(1)
    size = r.exponential(size=rows)
    size[::7] = np.nan
    return pd.DataFrame({
        "size": size, "two": r.integers(0, 2, rows) * 3.5, "colour": r.choice(["red", "blue"], rows),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(r.integers(0, 900, rows), unit="D"),
        "y": r.normal(size=rows),
    })  # fmt: skip


def by_hand(value: float, edges: list[float]) -> list[float]:
    """How far up a value lies in each bin."""
    found = []
    for low, high in pairwise(edges):
        found.append(0.0 if value <= low else 1.0 if value >= high else (value - low) / (high - low))
    return found


def test_bins_lie_between_quantiles_of_the_training_rows() -> None:
    frame = table()
    data = load(frame, target="y", inputs="bins", bins=5)
    prep = data.preparation
    train = frame["size"].to_numpy()[data.train.index.numpy()]
    middle = float(np.nanmedian(train))
    filled = np.where(np.isnan(train), middle, train)
    edges = sorted(set(np.quantile(filled, [0, 0.2, 0.4, 0.6, 0.8, 1]).tolist()))
    group = prep.groups[prep.features.index("size")]
    assert len(group) == 1 + len(edges) - 1 + 1  # itself, its bins, and whether it is missing
    wanted = np.array([by_hand(v, edges) for v in filled])
    x = data.train.x.numpy()[:, group[1:-1]]
    np.testing.assert_allclose(x, wanted - wanted.mean(0), atol=1e-6)
    two = prep.groups[prep.features.index("two")]
    assert len(two) == 1
    assert sum(prep.input_bins) == 2 * 5
    assert data.inputs == load(frame, target="y").inputs + 10


def test_columns_of_up_to_256_classes_are_not_hashed() -> None:
    frame = pd.DataFrame({"city": [f"c{k % 50}" for k in range(500)], "x": np.sin(np.arange(500.0))})
    frame["y"] = frame["x"] * 2
    plain, bins = (load(frame, target="y", inputs=inputs).preparation for inputs in ("plain", "bins"))
    assert [len(prep.groups[0]) for prep in (plain, bins)] == [64, 50]


NUMBERS = st.floats(-1e6, 1e6)


@given(
    values=st.lists(NUMBERS, min_size=3, max_size=60),
    asked=st.lists(NUMBERS, min_size=2),
    bins=st.integers(2, 20),
)
def test_bins_rise_from_0_to_1_without_a_jump(values: list[float], asked: list[float], bins: int) -> None:
    edges = quantile_edges(np.array(values), 0.0, bins)
    assert len(edges) <= bins + 1
    at_N = np.sort(np.array([*asked, *edges]))
    for share_N in bin_shares(at_N, edges).T if edges else ():
        assert ((share_N >= 0) & (share_N <= 1)).all()
        assert (np.diff(share_N) >= 0).all()
    if edges:
        ends = np.array([edges[0], edges[-1]])
        low, high = bin_shares(ends, edges)
        assert (low == 0).all()
        assert (high == 1).all()


def test_a_far_out_number_is_shown_as_five_deviations() -> None:
    frame = table()
    plain, held = (load(frame, target="y", clip_inputs=clip) for clip in (None, 5.0))
    far = plain.preparation.inverse(plain.train.x[:1])
    far[0, 0] = 1e7
    assert float(plain.preparation.transform(far)[0, 0]) > 1e5
    shown = held.preparation.transform(far)[0]
    assert float(shown[0]) == 5.0
    assert torch.equal(shown[1:], plain.preparation.transform(far)[0, 1:])
    near = plain.train.x.abs().max(1).values < 5
    assert torch.equal(held.train.x[near], plain.train.x[near])


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"inputs": "bin"}, "inputs_choice"),
        ({"inputs": "bins", "bins": 1}, "bins_range"),
        ({"inputs": "bins", "bins": 100_000}, "bins_range"),
        ({"bins": 2.5}, "bins_type"),
        ({"clip_inputs": 0}, "clip_inputs_range"),
        ({"clip_inputs": math.nan}, "clip_inputs_range"),
        ({"clip_inputs": "five"}, "clip_inputs_type"),
        ({"target_means": "perhaps"}, "target_means_type"),
        *(({"trees": trees}, "trees_range") for trees in (-1, 1001)),
        *(({"trees": trees}, "trees_type") for trees in (2.5, True)),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict, rule: str) -> None:
    assert refusal_of(load, table(), target="y", **asked).rule == rule


@pytest.mark.parametrize(
    "asked", [{"inputs": "bins"}, {"clip_inputs": 5.0}, {"trees": 4}, {"target_means": True}], ids=str
)
def test_a_dataset_of_ones_own_has_no_columns(asked: dict) -> None:
    with pytest.raises(TreinoError, match="is for tables"):
        load(TensorDataset(torch.rand(30, 4), torch.arange(30) % 3), **asked)
