"""Rows with weights: a weight counts as so many equal rows, 0 as none, and bad ones are refused by name."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import refusal_of
from treino import TreinoError
from treino.base.resampling import as_counts, effective_rows
from treino.data import load
from treino.data.preparation.fit_columns import quantiles


def frame(rows: int = 300, seed: int = 0, weight: object = None) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    number = r.normal(5, 2, rows)
    return pd.DataFrame(
        {
            "number": np.where(r.random(rows) < 0.1, np.nan, number),
            "place": r.choice(["north", "south", "east"], rows),
            "flag": np.where(r.random(rows) < 0.1, None, r.random(rows) < 0.4),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(r.integers(0, 300, rows), "D"),
            "part": r.choice(["train", "validation", "test"], rows, p=[0.6, 0.2, 0.2]),
            "y": number * 3 + r.normal(size=rows),
            "w": r.integers(0, 4, rows) if weight is None else weight,
        }
    )


def repeated(data: pd.DataFrame) -> pd.DataFrame:
    return data.loc[data.index.repeat(data.w)].drop(columns="w").reset_index(drop=True)


# ---- as repeated rows


@pytest.mark.parametrize(
    "settings",
    [{}, {"inputs": "bins", "bins": 7}, {"impute": "mean", "clip_inputs": 1.0}, {"normalise": False}],
)
def test_whole_weights_prepare_rows_as_repeated_rows_do(settings: dict) -> None:
    data = frame()
    options = {"target": "y", "split_column": "part"} | settings
    weighted, rows = load(data, row_weights="w", **options), load(repeated(data), **options)
    assert weighted.features == rows.features
    assert weighted.preparation.inputs == rows.preparation.inputs
    for part in ("train", "validation", "test"):
        few, many = weighted.splits[part], rows.splits[part]
        assert many.weight is None
        times = few.weight.long()
        assert int(times.sum()) == len(many)
        assert bool((times > 0).all())
        torch.testing.assert_close(few.x.repeat_interleave(times, 0), many.x, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(few.y.repeat_interleave(times, 0), many.y, rtol=1e-5, atol=1e-5)
        assert few.weight.tolist() == data.w.to_numpy()[few.index].tolist()
    assert weighted.target_mean == pytest.approx(rows.target_mean)
    assert weighted.target_scale == pytest.approx(rows.target_scale)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=1, max_size=20),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_quantiles_are_those_of_repeated_values(pairs: list, shares: list) -> None:
    value_N, weight_N = np.array(pairs).T
    wanted = np.quantile(value_N.repeat(weight_N.astype(int)), shares)
    found = quantiles(value_N, np.array(shares), weight_N)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-9)


def test_the_unit_of_weights_is_of_no_account() -> None:
    """Weights that aren't whole are brought to a mean of 1, so that shares of 1 do as well as counts."""
    share = np.random.default_rng(1).random(300) + 0.1
    first, second = (load(frame(weight=share * unit), target="y", row_weights="w") for unit in (1, 0.003))
    torch.testing.assert_close(first.train.x, second.train.x)
    np.testing.assert_allclose(as_counts(share).mean(), 1)
    assert effective_rows(np.full(9, 0.2)) == pytest.approx(9)
    assert effective_rows(np.array([1.0, 1e-9])) == pytest.approx(1)


def test_a_constant_column_stays_constant_under_weights() -> None:
    data = frame(weight=np.random.default_rng(1).random(300) + 0.1).drop(columns=["part"])
    data["number"] = np.where(np.arange(300) % 50 == 0, 0.2, 0.1)
    loaded = load(data, target="y", row_weights="w")
    part = loaded.train[loaded.train.x[:, 0] == loaded.train.x[0, 0]]
    assert loaded.preparation.scale[0] > 0
    again = load(data.iloc[part.index], target="y", row_weights="w", features=["number", "day"])
    assert again.preparation.scale[0] == 0
    assert again.preparation.mean[0] in (0.1, 0.2)


def test_a_row_of_weight_zero_is_left_out_and_said() -> None:
    data = frame()
    loaded = load(data, target="y", row_weights="w")
    index = torch.cat([rows.index for rows in loaded.splits.values()])
    assert sorted(index.tolist()) == np.flatnonzero(data.w).tolist()
    assert any("'w' is 0: " + str(int((data.w == 0).sum())) in note for note in loaded.notes)
    assert "w" not in loaded.features


def test_arrays_have_their_weights_beside_them() -> None:
    r = np.random.default_rng(0)
    x, y, w = r.normal(size=(50, 3)), r.normal(size=50), r.integers(1, 5, 50)
    loaded = load((x, y, w))
    assert loaded.features == ("x1", "x2", "x3")
    assert loaded.train.weight.tolist() == w[loaded.train.index].tolist()
    own = pd.DataFrame(x, columns=["a", "weights", "c"])
    assert load((own, y, w)).features == ("a", "weights", "c")
    assert "X has 50 rows and the weights 49." in str(refusal_of(load, (x, y, w[1:])))


# ---- bad weights


@pytest.mark.parametrize(
    ("value", "rule", "says"),
    [
        (-1.0, "row_weights_range", "'w' holds -1 in row 7"),
        (np.inf, "row_weights_infinite", "'w' holds 'inf' in row 7"),
        (np.nan, "row_weights_empty", "'w' are empty in 1 rows, the first in row 7"),
        (1e40, "row_weights_range", "'w' holds 1e+40 in row 7"),
        (1e-40, "row_weights_range", "'w' holds 1e-40 in row 7"),
        ("much", "row_weights_text", "'w' holds 'much' in row 7"),
    ],
)
def test_a_bad_weight_is_refused_with_its_place(value: object, rule: str, says: str) -> None:
    data = frame(weight=2.5)
    data["w"] = data.w.astype(object)
    data.loc[7, "w"] = value
    refusal = refusal_of(load, data, target="y", row_weights="w")
    assert refusal.rule == rule
    assert says in str(refusal)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"row_weights": "W"}, "row_weights_unknown"),
        ({"row_weights": "y"}, "row_weights_target"),
        ({"row_weights": "w", "features": ["number", "w"]}, "row_weights_feature"),
        ({"row_weights": "place"}, "row_weights_text"),
    ],
)
def test_a_column_that_can_not_weigh_is_refused(options: dict, rule: str) -> None:
    assert refusal_of(load, frame(weight=2.5), target="y", **options).rule == rule


def test_weights_of_zero_alone_are_refused_for_all_rows_or_for_a_split(tmp_path) -> None:
    with pytest.raises(TreinoError, match="All weights in 'w' of 'frame' are 0"):
        load(frame(weight=0), target="y", row_weights="w")
    data = frame(weight=1)
    data.loc[data.part == "test", "w"] = 0
    with pytest.raises(TreinoError, match="All rows that 'part' calls 'test' have a weight of 0 in 'w'"):
        load(data, target="y", row_weights="w", split_column="part")
    with pytest.raises(TreinoError, match="All weights in 'w' of 'frame' are 0"):
        load(frame(weight=1), target="y", row_weights="w", test=frame(40, 1, weight=0))
    with pytest.raises(TreinoError, match="lacks 1 of 1 columns: w"):
        load(frame(weight=1), target="y", row_weights="w", test=frame(40, 1).drop(columns="w"))


@pytest.mark.usefixtures("small")
def test_images_and_datasets_take_no_weights() -> None:
    pair = torch.utils.data.TensorDataset(torch.zeros(9, 2), torch.arange(9) % 2)
    assert "row_weights is for tables" in str(refusal_of(load, pair, row_weights="w"))
    assert "can't be weighted" in str(refusal_of(load, "fashion-mnist", row_weights="pixel_0_0"))
