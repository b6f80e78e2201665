"""A cell of a new row is read by the kind of its training column, through every door."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treino as tr
from tests.conftest import refusal_of
from tests.data.conftest import written
from treino.data import load, rows_for_prediction
from treino.data.preparation.preparation import Preparation
from treino.folders.prediction import predict

ROWS = 60
USUAL: dict[str, Any] = {"size": 71.5, "rooms": 3, "flag": 1, "garden": True}
TRUE = {"true", "yes", "sim", "verdadeiro", "y", "s", "t", "v"}  # by hand, apart from the code's own table
FALSE = {"false", "no", "não", "nao", "falso", "n", "f"}
WORDS = [
    "yes",
    "n",
    "s",
    "V",
    "TRUE",
    "False",
    "t",
    "Não",
    "abc",
    "5",
    "0",
    "1",
    "2.5",
    "-3",
    "",
    "NA",
    "1.0",
]


def training() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.uniform(50, 150, ROWS).round(1), "rooms": rng.integers(1, 9, ROWS)})
    frame["flag"] = rng.integers(0, 2, ROWS)
    frame["garden"] = rng.integers(0, 2, ROWS) == 1
    frame["price"] = frame["size"] * 2.5 + frame["garden"]
    return frame


@pytest.fixture(scope="module", params=["csv", "jsonl", "frame", "xlsx"])
def preparation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    source = written(training(), tmp_path_factory.mktemp("trained"), request.param)
    return load(source, target="price", kinds={"flag": "number"}).preparation


def right(column: str, cell: Any) -> float | None:
    """The number that a cell stands for, NaN for a gap; None if it is to be refused."""
    word = str(cell).strip().lower()
    if word in ("", "na", "none"):
        return np.nan
    try:
        number = None if isinstance(cell, bool) else float(word)
    except ValueError:
        number = None
    if column != "garden":
        return number
    if word in TRUE | FALSE:
        return float(word in TRUE)
    return number if number in (0.0, 1.0) else None


def frame_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in USUAL})


DOORS: dict[str, Callable[[list[dict[str, Any]], Path], Any]] = {
    "csv": lambda rows, folder: written(frame_of(rows).map(str), folder, "csv"),
    "jsonl": lambda rows, folder: written(frame_of(rows), folder, "jsonl"),
    "frame": lambda rows, _folder: frame_of(rows),
    "inferred frame": lambda rows, _folder: frame_of(rows).infer_objects(),
    "polars": lambda rows, _folder: pl.from_pandas(frame_of(rows).map(str)),
    "xlsx": lambda rows, folder: written(frame_of(rows), folder, "xlsx"),
    "array": lambda rows, _folder: frame_of(rows).to_numpy(),
}


@pytest.mark.sampled(3)  # each door and each source of the training rows is among them
@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from([*USUAL]), cell=st.sampled_from([*WORDS, True, False, 5, 0, 1]), data=st.data())
def test_a_cell_is_read_by_the_kind_of_its_column(
    door: str, column: str, cell: Any, data: st.DataObject, preparation: Preparation, tmp_path: Path
) -> None:
    beside = data.draw(st.integers(0, 2))
    rows = [dict(USUAL) for _row in range(beside + 1)]
    at = data.draw(st.integers(0, beside))
    rows[at][column] = cell
    source, wanted = DOORS[door](rows, tmp_path), right(column, cell)
    named = f"x{[*USUAL].index(column) + 1}" if door == "array" else column
    if wanted is None:
        refused = refusal_of(rows_for_prediction, source, preparation)
        assert f"'{named}'" in refused.message
        assert str(cell).lower() in refused.message.lower()
        place = {"csv": f"line {at + 2}", "jsonl": f"line {at + 1}", "xlsx": f"row {at + 2}"}
        assert place.get(door, f"row {at}") in refused.message
        return
    prepared = rows_for_prediction(source, preparation)
    raw_ND = preparation.inverse(prepared.x)
    if not np.isnan(wanted):
        assert raw_ND[at, [*USUAL].index(column)] == pytest.approx(wanted, abs=1e-3)
    assert prepared.missing == ({column: 1} if np.isnan(wanted) else {})


def test_a_file_of_validation_rows_is_read_as_the_training_rows_are(tmp_path: Path) -> None:
    path = written(training(), tmp_path, "csv")
    other = training().astype({"rooms": object})
    other["rooms"] = ["yes", "n"] * (ROWS // 2)
    (tmp_path / "v.csv").write_text(other.to_csv(index=False))
    refused = refusal_of(load, path, target="price", validation=tmp_path / "v.csv", test=0)
    assert "'rooms' holds 'yes' in line 2" in refused.message


@pytest.mark.parametrize(("column", "cell"), [("size", "yes"), ("garden", "perhaps")])
def test_the_next_move_is_one_that_predict_has(tmp_path: Path, column: str, cell: str) -> None:
    """What stands for no value, and what a column is, the training decided."""
    run = tr.fit(training(), target="price", recipe="plain", epochs=1, parent=tmp_path)
    new = training().drop(columns="price")[:3].astype({column: object})
    new.loc[1, column] = cell
    for refused in refusal_of(run.predict, new), refusal_of(predict, run, new):
        assert f"'{cell}'" in refused.message
        assert refused.hint == "Write it as in the training rows, or leave the cell empty."
