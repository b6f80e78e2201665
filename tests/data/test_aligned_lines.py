"""Tables whose cells are aligned or parted by blanks: the cells are those that were written."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.conftest import Write, refusal_of
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.readers import ReaderOptions, read_file
from treino.data.readers.dialect import Dialect, cuts_of

RNG = np.random.default_rng(0)
CARS = pd.DataFrame(
    {
        "model": [f"{'ab'[i % 2]}{i % 7} quattro"[: 2 + i % 9] for i in range(40)],
        "engine size": RNG.normal(2, 1, 40).round(1),
        "miles": RNG.integers(10, 400, 40),
    }
)


def cells_of(path: object, reading: ReaderOptions | None = None) -> dict[str, list[str]]:
    return {c.name: [c.cell(i) for i in range(len(c))] for c in read_file(str(path), reading).columns}


@pytest.mark.parametrize("reading", [None, ReaderOptions(delimiter=" "), ReaderOptions(delimiter="space")])
def test_cells_with_blanks_are_read_where_they_are_aligned(
    write: Write, reading: ReaderOptions | None
) -> None:
    path = write(CARS.to_string(index=False), "cars.txt")
    found = cells_of(path, reading)
    assert list(found) == ["model", "engine size", "miles"]
    assert found["model"] == [name.strip() for name in CARS["model"]]
    assert [float(cell) for cell in found["engine size"]] == CARS["engine size"].tolist()
    assert "aligned" in read_file(path).notes[0]


def test_an_empty_cell_between_aligned_ones_is_missing(write: Write) -> None:
    frame = CARS.astype({"miles": object}).copy()
    frame.loc[3, "miles"] = ""
    frame.loc[5, "engine size"] = np.nan
    path = write(frame.to_string(index=False, na_rep=""), "cars.txt")
    columns = read_file(path).by_name
    assert np.flatnonzero(columns["miles"].missing_N).tolist() == [3]
    assert np.flatnonzero(columns["engine size"].missing_N).tolist() == [5]


def test_a_line_that_is_not_aligned_is_refused_with_its_number(write: Write) -> None:
    lines = CARS.to_string(index=False).split("\n") * 1
    wide = "\n".join([*lines, *lines[1:] * 400, "x" * len(lines[0])])  # beyond what is looked at first
    with pytest.raises(TreinoError, match=f"line {wide.count(chr(10)) + 1}:") as refused:
        read_file(write(wide, "cars.txt"))
    assert refused.value.rule == "csv_unaligned"


@given(
    st.lists(
        st.tuples(st.text("ab c", max_size=6), st.integers(-99, 9999), st.text("xy", min_size=1, max_size=3)),
        min_size=4, max_size=9,
    )
)  # fmt: skip
def test_what_pandas_writes_is_cut_as_pandas_would(rows: list[tuple[str, int, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["words", "n", "code"]).map(lambda cell: str(cell).strip())
    text = frame.to_string(index=False)
    lines = text.split("\n")
    if (cuts := cuts_of(lines)) and len(cuts) == 3:
        found = [cells for cells in Dialect(" ", cuts=cuts).records(lines) if cells]
        assert found[1:] == frame.to_numpy().tolist()


def test_words_and_few_numbers_between_single_blanks_are_a_table(write: Write) -> None:
    """As the German credit data is written: more columns of codes than of numbers."""
    rows = "".join(f"A1{i % 4} {6 + i} A4{i % 3} A3{i % 5} {'good' if i % 3 else 'bad'}\n" for i in range(60))
    path = write("status months purpose history risk\n" + rows, "credit.data")
    assert load(path, target="risk").classes == ("bad", "good")
    tabs = write(("status months purpose history risk\n" + rows).replace(" A3", "\tA3"), "mixed.data")
    assert cells_of(tabs, ReaderOptions(delimiter=" ")) == cells_of(path)


def test_lines_of_prose_are_no_table(write: Write) -> None:
    prose = "review\n" + "".join(f"this one is {'good' if i % 2 else 'bad'}\n" for i in range(60))
    assert refusal_of(read_file, write(prose)).rule == "csv_one_column"


def test_a_column_may_be_named_inf(write: Write) -> None:
    frame = pd.DataFrame(RNG.normal(size=(30, 3)), columns=["open", "inf", "pcinc"])
    assert load(write(frame.to_csv(index=False)), target="inf").features == ("open", "pcinc")
    headless = io.StringIO()
    frame.iloc[:, :3].assign(pcinc=np.inf).to_csv(headless, index=False, header=False)
    assert read_file(write(headless.getvalue(), "b.csv")).names == ("x1", "x2", "x3")
    whole = "".join(f"{i % 3},{'inf' if i in (0, 7) else i * i % 11},{i % 4}\n" for i in range(30))
    assert read_file(write(whole, "c.csv")).names == ("x1", "x2", "x3")
