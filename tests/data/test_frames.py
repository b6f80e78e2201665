"""Data that is already in Python: pandas frames and pairs of arrays, of every usual type."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from tests.conftest import refusal_of
from treino.data import load, rows_for_prediction
from treino.data.sources import read_frame

N = 40
X = np.random.RandomState(0).randn(N, 3)
Y = np.arange(N) % 2


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], **columns})


def raw(data: object) -> np.ndarray:
    return data.preparation.inverse(data.train.x)


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (Y, ("0", "1")),
        (Y.astype(float), ("0", "1")),
        (Y.astype(bool), ("false", "true")),
        (np.where(Y, "yes", "no"), ("no", "yes")),
        (pd.Series(np.where(Y, "yes", "no"), dtype="string"), ("no", "yes")),
        (pd.Series(np.where(Y, "yes", "no"), dtype=object), ("no", "yes")),
        (pd.Categorical(np.where(Y, "low", "high"), categories=["low", "mid", "high"]), ("low", "high")),
        (pd.Series(Y, dtype="Int64"), ("0", "1")),
        (pd.Series(Y.astype(bool), dtype="boolean"), ("false", "true")),
        (pd.Categorical(Y + 1), ("1", "2")),
    ],
)
def test_targets_of_all_types(cells: object, classes: tuple[str, ...]) -> None:
    data = load(frame(y=cells), target="y", validation=0, test=0)
    assert data.task == "classification"
    assert data.classes == classes
    named = [str(c) for c in pd.Series(cells).astype(str).str.lower().str.removesuffix(".0")]
    assert [classes[i] for i in data.train.y] == named


def test_a_frame_is_read_by_name_whatever_its_row_labels() -> None:
    data = load(frame(y=Y).set_index(pd.Index(range(100, 100 + N))), target="y", features=["b", "a"])
    assert data.features == ("b", "a")
    assert data.name == data.source == "frame"
    np.testing.assert_allclose(raw(data), X[data.train.index][:, [1, 0]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "cells",
    [
        np.where(np.arange(N) == 3, np.nan, X[:, 2]),
        pd.Series([None, *X[1:, 2]], dtype=object),
        pd.Series([pd.NA, *Y[1:]], dtype="Int64"),
    ],
)
def test_a_missing_number_is_filled_and_flagged(cells: object) -> None:
    data = load(frame(c=cells, y=Y), target="y", validation=0, test=0)
    assert data.preparation.inputs == ("a", "b", "c", "c missing")
    present = pd.to_numeric(pd.Series(cells)).astype(float)
    np.testing.assert_allclose(
        data.preparation.inverse(data.train.x)[:, 2], present.fillna(present.median()), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(data.train.x[:, 3], present.isna())
    assert any("c (1)" in note and "median" in note for note in data.notes)


@pytest.mark.parametrize(
    "pair",
    [
        (X, Y), (X.astype(np.float32), Y.tolist()), (torch.tensor(X), torch.tensor(Y)),
        (X.tolist(), Y[:, None]), (torch.tensor(X), Y.astype(bool)), (np.asfortranarray(X), pd.Series(Y)),
    ],
)  # fmt: skip
def test_pairs_of_arrays(pair: tuple[object, object]) -> None:
    data = load(pair)
    assert data.features == ("x1", "x2", "x3")
    assert data.target == "target"
    assert len(data.classes) == 2
    np.testing.assert_allclose(raw(data), X[data.train.index], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(data.train.y, Y[data.train.index])


def test_a_frame_with_a_series_keeps_the_names() -> None:
    data = load((frame(), pd.Series(Y, name="bought")))
    assert data.features == ("a", "b")
    assert data.target == "bought"


def test_the_order_of_an_array_in_memory_changes_nothing() -> None:
    assert torch.equal(load((np.asfortranarray(X), Y)).train.x, load((X, Y)).train.x)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ((X, Y[:-1]), "arrays_length"),
        ((X[:, 0], Y), "arrays_shape"),
        (X[:, :, None], "arrays_shape"),
        ((X, np.eye(2)[Y]), "arrays_shape"),
        (([[1, 2], [3]], [0, 1]), "arrays_shape"),
        ((X[:0], Y[:0]), "frame_empty"),
        ((X[:, :0], Y), "frame_empty"),
        (pd.DataFrame(), "frame_empty"),
        (frame(y=Y).iloc[:0], "frame_empty"),
        (pd.DataFrame(np.ones((3, 2)), columns=["a", "a"]), "column_name_duplicate"),
        (pd.DataFrame(np.ones((3, 2)), columns=["a", " "]), "column_name_empty"),
        (X, "target_missing"),
        (frame(y=Y), "target_missing"),
        ((X[:1], Y[:1]), "rows_one"),
    ],
)
def test_shapes_that_do_not_fit(source: object, rule: str) -> None:
    error = refusal_of(load, source)
    assert error.rule == rule


@pytest.mark.parametrize("source", [pd.Series([1, 2.5]), pa.chunked_array([[1, 2]])])
def test_what_is_no_frame_for_all_its_arrow(source: object) -> None:
    assert refusal_of(load, source).rule == "data_type"


def test_columns_of_all_types_of_pandas() -> None:
    zone = "America/Sao_Paulo"
    table = read_frame(
        pd.DataFrame(
            {
                "time": pd.to_datetime(["2024-01-01", None]).tz_localize(zone),
                "date": [pd.Timestamp("2024-01-02").date(), None],
                "span": pd.to_timedelta([1, None], unit="D"),
                "rank": pd.Categorical(["b", None], ["a", "b"], ordered=True),
                "truth": pd.array([True, None], "boolean"),
                "truths": pd.Series([None, False], dtype=object),
                "whole": pd.array([7, None], "Int64"),
                "mixed": pd.Series([1, "x"], dtype=object),
                "money": ["R$ 1.234,50", ""],
                "words": pd.Series(["NA", "x"], dtype="string"),
            }
        )
    )
    second = pd.Timestamp("2024-01-01", tz=zone).timestamp()
    for name, wanted in {"time": second, "date": 19724 * 86400.0}.items():
        np.testing.assert_array_equal(table.column(name).seconds, [wanted, np.nan])
    for name, numbers in {
        "span": [86400, np.nan], "truth": [1, np.nan], "truths": [np.nan, 0], "whole": [7, np.nan],
        "money": [1234.5, np.nan],
    }.items():  # fmt: skip
        np.testing.assert_array_equal(table.column(name).numbers, numbers)
    assert [name for name in table.names if table.column(name).boolean] == ["truth", "truths"]
    rank = table.column("rank")
    assert (rank.categories, rank.ordered) == (("a", "b"), True)
    assert rank.missing_N.tolist() == [False, True]
    assert table.column("mixed").words.tolist() == ["1", "x"]
    assert table.column("words").words.tolist() == ["NA", "x"]


MASK = np.arange(N * 3).reshape(N, 3) % 17 == 4


@pytest.mark.parametrize("kind", [float, np.int64, np.uint8, object])
def test_masked_cells_are_gaps(kind: type) -> None:
    """As NaN is: what lies below the mask, and numpy.asarray shows, is nowhere."""
    whole = np.abs(X * 20).round().astype(kind)
    masked = np.ma.array(np.where(MASK, 99, whole), mask=MASK)
    gaps = np.where(MASK, np.nan, whole.astype(float))
    data, same = (load((x, Y), validation=0, test=0) for x in (masked, gaps))
    np.testing.assert_array_equal(data.train.x, same.train.x)
    assert rows_for_prediction(masked, data.preparation).missing == {
        f"x{j + 1}": int(n) for j, n in enumerate(MASK.sum(0))
    }


def test_masked_targets_weights_and_sequences_are_gaps_too() -> None:
    hidden = np.arange(N) == 3
    data = load((X, np.ma.array(X[:, 0], mask=hidden)), validation=0, test=0)
    assert len(data.train) == N - 1
    assert "empty in 1 rows" in refusal_of(load, (X, Y, np.ma.array(np.ones(N), mask=hidden))).message
    for x in (np.ma.array(X[..., None], mask=MASK[..., None]), {"a": np.ma.array(X, mask=MASK)}):
        refused = refusal_of(load, (x, Y))
        assert (refused.rule, "holds nan in row 1" in refused.message) == ("array_not_finite", True)


SEVERAL = {
    "ragged": [[1.0, 2.0], [3.0]] * (N // 2),
    "nested": [[[1.0], [2.0, 3.0]]] * N,
    "objects": np.array([[np.ones(2), 1], [np.ones(3), 2]] * (N // 2), dtype=object),
    "rows": np.array([np.ones(2), np.ones(3)] * (N // 2), dtype=object),
    "tensors": [torch.ones(2), torch.ones(3)] * (N // 2),
    "dicts": [{"a": 1}] * N,
    "frames": pd.Series([pd.Series([1, 2])] * N).to_numpy(),
    "records": np.zeros(N, dtype=[("a", float), ("b", float)]),
    "a dict": {"k": {"l": 1}},
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_values_in_place_of_one_are_refused(name: str) -> None:
    several = SEVERAL[name]
    plain, named = load((X, Y)).preparation, load(({"a": X}, Y)).preparation
    for source in ((several, Y), (X, several), (X, Y, several), ({"a": several}, Y), ({"a": X}, several)):
        assert refusal_of(load, source).hint
    for source, preparation in ((several, plain), ((X, several), plain), ({"a": several}, named)):
        assert refusal_of(rows_for_prediction, source, preparation).hint


@pytest.mark.parametrize("cell", [np.ones(2), torch.ones(2), pd.Series([1, 2]), [1, [2]], {"a": 1}, {1}])
def test_a_cell_of_several_values_in_a_frame_is_no_number(cell: object) -> None:
    preparation = load(frame(y=Y), target="y").preparation
    new = frame(c=[cell] * N).astype({"a": object})
    assert len(rows_for_prediction(new, preparation)) == N
    new.at[5, "a"] = cell
    refused = refusal_of(rows_for_prediction, new, preparation)
    assert "Column 'a' holds" in refused.message
    assert "row 5" in refused.message
    assert load(new[["b", "c"]].assign(y=Y), target="y").features == ("b",)
