"""Whole numbers of 2^53 and more, of which a float64 merges some, stay apart as classes and categories."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

import treino as tr
from tests.conftest import refusal_of
from tests.data.conftest import written
from treino.data.preparation.new_rows import rows_for_prediction
from treino.data.summaries.description import describe

LARGE = [2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 7]
HUGE = [2**63 + 1, 2**64 - 1, 2**63]  # no int64, but uint64
LONG = [10**30 + 1, 10**30, 10**30 + 2]
ROWS = 8
X = np.arange(ROWS * 5, dtype=float) % 7


def column(values: list[int]) -> list[int]:
    return [values[i % len(values)] for i in range(len(X))]


def csv(path: Path, values: list[int]) -> Path:
    lines = [f"{x},{v}" for x, v in zip(X, column(values), strict=True)]
    (path / "t.csv").write_text("\n".join(["x,y", *lines]))
    return path / "t.csv"


def arrow(values: list[int]) -> pa.Table:
    kind = pa.uint64() if max(values) >= 2**63 else pa.int64()
    return pa.table({"x": X, "y": pa.array(column(values), kind)})


def parquet(path: Path, values: list[int]) -> Path:
    pyarrow.parquet.write_table(arrow(values), path / "t.parquet")
    return path / "t.parquet"


def json_lines(path: Path, values: list[int]) -> Path:
    rows = [{"x": x, "y": v} for x, v in zip(X.tolist(), column(values), strict=True)]
    (path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return path / "t.jsonl"


def frame(_path: Path, values: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"x": X, "y": column(values)})


def nullable(_path: Path, values: list[int]) -> pd.DataFrame:
    kind = "UInt64" if max(values) >= 2**63 else "Int64"
    y = pd.array([*column(values)[:-1], None], dtype=kind)
    return pd.DataFrame({"x": X, "y": y}).iloc[: len(X) - 1]


def categorical(_path: Path, values: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"x": X, "y": pd.Categorical(column(values))})


def objects(_path: Path, values: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"x": X, "y": pd.Series(column(values), dtype=object)})


def arrays(_path: Path, values: list[int]) -> tuple[Any, Any]:
    return X[:, None], np.array(column(values))


def lists(_path: Path, values: list[int]) -> tuple[Any, Any]:
    return X[:, None], column(values)


Make = Callable[[Path, list[int]], Any]
SOURCES: list[Make] = [
    csv, parquet, json_lines, frame, nullable, categorical, objects, arrays, lists,
]  # fmt: skip
CASES = [(make, values) for make in SOURCES for values in (LARGE, HUGE)]
CASES += [(make, LONG) for make in (csv, json_lines, objects, lists)]


@pytest.mark.parametrize(("make", "values"), CASES, ids=lambda v: getattr(v, "__name__", str(v)[:12]))
def test_classes_are_told_apart_to_the_last_digit(make: Make, values: list[int], tmp_path: Path) -> None:
    source = make(tmp_path, values)
    named = {} if isinstance(source, tuple) else {"target": "y"}
    data = tr.load(source, validation=0, test=0, duplicates="ignore", **named)
    assert data.classes == tuple(map(str, sorted(values)))
    wanted = np.array(column(values), dtype=object)[data.train.index.numpy()]
    assert [int(data.classes[c]) for c in data.train.y] == wanted.tolist()
    again = rows_for_prediction(source, data.preparation)
    assert [int(data.classes[c]) for c in again.y] == column(values)[: len(again.y)]


@pytest.mark.parametrize("make", [csv, parquet, frame])
def test_categories_of_inputs_are_told_apart(make: Make, tmp_path: Path) -> None:
    asked = {"target": "x", "task": "regression", "kinds": {"y": "category"}, "validation": 0, "test": 0}
    data = tr.load(make(tmp_path, LARGE), **asked)
    assert set(data.preparation.inputs) == {f"y={value}" for value in LARGE}
    assert set(data.train.x.sum(1).tolist()) == {1.0}


def test_keys_are_known_as_keys() -> None:
    ids = [2**60 + i for i in range(40)]
    described = tr.load(pd.DataFrame({"account_id": ids, "x": X, "y": X > 3}), target="y")
    assert described.features == ("x",)


@pytest.mark.parametrize("cells", [np.array(LARGE, dtype=float), [2**53 + 2.0, 1.5, 3.0]])
def test_numbers_with_decimals_are_no_such_classes(cells: Any) -> None:
    y = np.array(column(list(cells)), dtype=float)
    refused = refusal_of(tr.load, (X[:, None], y), task="classification")
    assert refused.rule == "target_merged"
    assert "as text" in refused.hint
    assert tr.load((X[:, None], y), task="regression").task == "regression"


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_inputs_that_share_a_float_are_codes(ending: str, tmp_path: Path) -> None:
    """They are neither one constant number, nor rows that equal each other, nor spellings of one class."""
    few = column(LARGE[:3])
    frame = pd.DataFrame({"few": few, "all": [2**53 + k for k in range(len(X))], "y": X + 0.5})
    path = written(frame, tmp_path, ending)
    described = describe(str(path), "y")
    kinds = {c.name: (c.kind, c.way, c.unique) for c in described.columns}
    assert kinds["few"] == ("category", "category", 3)
    assert kinds["all"] == ("identifier", "out", len(X))
    assert not {"column_spellings", "column_constant"} & {warning.rule for warning in described.warnings}
    assert tr.load(str(path), target="y", duplicates="ignore").inputs == 3
