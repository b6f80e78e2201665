"""What the cells of a column are taken for: numbers, truth values, dates, words; and what is said of it."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.readers import ReaderOptions
from treino.data.readers.cell_types import CellStatistics
from treino.data.readers.conventions import decide
from treino.data.sources import read
from treino.data.table import Column, Table

COMMAS, GAPS = "commas between the thousands", "gaps between the thousands"
MINUS = "brackets or dashes for minus"


def table(write: Write, cells: list[str], reading: ReaderOptions | None = None) -> Table:
    rows = "".join(f'"{cell}";{i}\n' for i, cell in enumerate(cells))
    return read(write("c;n\n" + rows), reading)


def column(write: Write, cells: list[str], reading: ReaderOptions | None = None) -> Column:
    return table(write, cells, reading).column("c")


@pytest.mark.parametrize(
    ("cells", "numbers", "writing"),
    [
        (["1", "-2", "+3"], [1, -2, 3], ""),
        (["1.5", "2", "1e3"], [1.5, 2, 1000], ""),
        (["1,5", "2", "-1,5e3"], [1.5, 2, -1500], "decimal comma"),
        (["1.234,5", "1.234.567"], [1234.5, 1234567], "decimal comma"),
        (["1,234.5", "12"], [1234.5, 12], COMMAS),
        (["1 234,5", "1'234"], [1234.5, 1234], f"decimal comma, {GAPS}"),
        (["1\u00a0234", "7"], [1234, 7], GAPS),
        (["0.123", "1.234"], [0.123, 1.234], ""),
        (["R$ 1.234,56", "-R$ 2,00", "R$ -3"], [1234.56, -2, -3], "money R$, decimal comma"),
        (["$1,234.50", "$2"], [1234.5, 2], f"money $, {COMMAS}"),
        (["12 €", "1,5 €"], [12, 1.5], "money €, decimal comma"),
        (["12%", "1.5 %"], [12, 1.5], "percent"),
        (["1,23,456.00", "12,34,567", "84,336.5"], [123456, 1234567, 84336.5], COMMAS),
        (["(1,234.50)", "7"], [-1234.5, 7], f"{COMMAS}, {MINUS}"),
        (["($5.25)", "$(1)", "$9"], [-5.25, -1, 9], f"money $, {MINUS}"),
        (["\u22121.5", "\u20132", "3.25-", "+4"], [-1.5, -2, -3.25, 4], MINUS),
        (["R$ \u22122,5", "(R$ 1.234,50)"], [-2.5, -1234.5], f"money R$, decimal comma, {MINUS}"),
        (["12 kg", "1.5kg"], [12, 1.5], "unit kg"),
        (["₹1,00,000", "₹ 99.5"], [100000, 99.5], f"money ₹, {COMMAS}"),
        (["1’234.5", "2"], [1234.5, 2], GAPS),
        (
            ["1.5", "#N/A", "#DIV/0!", "Err:502", "..", "…", "\\N", "NA_real_", ".", ".B", "–"],
            [1.5] + [np.nan] * 10,
            "",
        ),
        (["1.5", "", "NA", "n/a", "None", "NULL", "NaN", "?", "-"], [1.5] + [np.nan] * 8, ""),
        (["R$ 5", "NA"], [5, np.nan], "money R$"),
        (["inf", "-Infinity", "1e400", "2.5"], [np.inf, -np.inf, np.inf, 2.5], ""),
        (["", "NA", "?"], [np.nan] * 3, ""),
        (["123456789012345678", "2"], [123456789012345678, 2], ""),
    ],
)
def test_numbers(write: Write, cells: list[str], numbers: list[float], writing: str) -> None:
    found = column(write, cells)
    assert found.numbers is not None
    np.testing.assert_array_equal(found.numbers, numbers)
    np.testing.assert_array_equal(found.missing_N, np.isnan(numbers))
    assert found.writing == writing
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object), "n": range(len(cells))})
    np.testing.assert_array_equal(read(frame).column("c").numbers, numbers)


@pytest.mark.parametrize(
    "cells",
    [
        ["1.5", "R$ 2"], ["R$ 1", "US$ 2"], ["12%", "3"], ["R$ 1 %", "R$ 2 %"], ["1.2.3", "1.2.4"],
        ["0x10", "1"], ["1d5", "1"], ["1e", "2"], ["--1", "2"], ["1_000", "2"], ["１", "2"],
        ["$--1", "$2"],
        ["1 2", "3"], ["(1)", "(2)"], ["12,3456", "1,2,3"],
        ["192.168.0.1", "1"], ["1/2", "3/4"], ["nan(1)", "2"], ["a", "NA", "None"],
    ],
)  # fmt: skip
def test_words(write: Write, cells: list[str]) -> None:
    found = column(write, cells)
    assert found.numbers is None
    assert found.seconds is None
    assert found.words.tolist() == cells
    assert not found.missing_N.any()


ADDRESSES, VERSIONS = ["192.168.101.240", "172.116.254.101"], ["1.101.203", "2.204.117", "3.120.400"]


@pytest.mark.parametrize(
    ("cells", "loads"),
    [
        (ADDRESSES, ["2.55", "0.5"]),
        (ADDRESSES, ["2,55", "0,5"]),
        ([*ADDRESSES, "10.0.0.1"], ["2.55", "0.5"]),
        (VERSIONS, ["2.55", "0.5"]),
        (["1.2.3", "1.2.10", "1.10.4", "2.0.0"], ["2.55", "0.5"]),
        (["1.2.3", "1.101.203", "2.0.0"], ["2,55", "0,5"]),
        (["1.101.203.001", "1.101.203.002", "3.1.1.02"], ["2.55"]),
    ],
)
def test_codes_with_dots_are_words(write: Write, cells: list[str], loads: list[str]) -> None:
    rows = [f"{cells[i % len(cells)]};{loads[i % len(loads)]}" for i in range(12)]
    found = read(write("code;load\n" + "\n".join(rows) + "\n"))
    assert found.column("load").numbers is not None
    assert found.column("code").numbers is None
    assert found.column("code").seconds is None
    assert found.column("code").words.tolist() == [row.split(";")[0] for row in rows]
    frame = pd.DataFrame({"code": cells, "load": [2.55] * len(cells)})
    assert read(frame).column("code").words.tolist() == cells


def test_whole_numbers_with_dots_between_the_thousands_stay_numbers(write: Write) -> None:
    for cells in (["1.101.203", "12.345", "812.113"], ["1.234.101.250", "2.345.678.901"]):
        found = read(write("c;load\n" + "".join(f"{cell};2,55\n" for cell in cells)))
        assert found.column("c").numbers.tolist() == [float(cell.replace(".", "")) for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [
        VERSIONS,
        ["3.10.14", "3.11.12", "3.12.10"],
        ["1.101", "2.204"],
        ["1.101.203", "12.345"],
        ["01/02/2024"],
    ],
)
def test_a_kind_that_is_given_is_not_asked_about(write: Write, cells: list[str]) -> None:
    rows = [f"{cells[i % len(cells)]},{i % 7}.5,{i % 9}.25" for i in range(60)]
    path = write("c,load,y\n" + "\n".join(rows) + "\n")
    data = load(path, target="y", kinds={"c": "category"})
    (program,) = (each for each in data.preparation.programs if each.column == "c")
    assert set(program.levels) == set(cells)
    assert load(path, target="y", kinds={"c": "out"}).features == ("load",)


@pytest.mark.parametrize(
    "cells", [["01310", "98765"], ["007", "8"], ["12345678901234567", "3"], ["-01", "2"]]
)
def test_what_a_number_would_lose_is_kept_as_words_too(write: Write, cells: list[str]) -> None:
    found = column(write, cells)
    assert found.numbers is not None
    assert found.words.tolist() == cells
    assert column(write, ["10", "0", "0.5"]).words is None


@pytest.mark.parametrize(
    ("cells", "truth", "words"),
    [
        (["True", "false", "True", "TRUE"], [1, 0, 1, 1], ["True", "false", "True", "True"]),
        (["true", "None", "false"], [1, np.nan, 0], ["true", "", "false"]),
        (["yes", "no", ""], [1, 0, np.nan], ["yes", "no", ""]),
        (["Sim", "Não"], [1, 0], ["Sim", "Não"]),
        (["Verdadeiro", "falso"], [1, 0], ["Verdadeiro", "falso"]),
        (["S", "N"], [1, 0], ["S", "N"]),
        (["y", "y"], [1, 1], ["y", "y"]),
        (["yes", "TRUE", "n", "No"], [1, 1, 0, 0], ["yes", "TRUE", "n", "No"]),
        (["sim", "no", "#N/A", "-"], [1, 0, np.nan, np.nan], ["sim", "no", "", ""]),
    ],
)
def test_truth_values(write: Write, cells: list[str], truth: list[float], words: list[str]) -> None:
    found = column(write, cells)
    assert found.boolean
    assert found.numbers is not None
    np.testing.assert_array_equal(found.numbers, truth)
    assert found.words.tolist() == words


@pytest.mark.parametrize("cells", [["yes", "no", "none"], ["yes", "maybe"], ["y", "s"], ["yes", "1"]])
def test_answers_that_are_no_truth_values(write: Write, cells: list[str]) -> None:
    found = column(write, cells)
    assert not found.boolean
    assert found.words.tolist() == cells


@pytest.mark.parametrize(
    ("form", "writing"),
    [
        ("%Y-%m-%d", ""), ("%Y/%m/%d", ""), ("%Y.%m.%d", ""), ("%Y-%m", ""),
        ("%d/%m/%Y", "dates day/month/year"), ("%m/%d/%Y", "dates month/day/year"),
        ("%d.%m.%Y", "dates day/month/year"), ("%d-%m-%y", "dates day/month/year"),
        ("%Y-%m-%dT%H:%M:%S", ""), ("%Y-%m-%d %H:%M", ""), ("%d/%m/%Y %H:%M:%S.%f", "dates day/month/year"),
        ("%d-%b-%Y", ""), ("%d %B %Y", ""), ("%b %d, %Y %H:%M", ""), ("%Y-%b-%d", ""), ("%Y%m%dT%H%M%S", ""),
        ("%a, %d %b %Y %H:%M:%S %z", ""), ("%d-%b-%y", "dates day/month/year"), ("%B %Y", ""),
        ("%m/%d/%Y %I:%M %p", "dates month/day/year"), ("%Y-%m-%d %H:%M:%S%z", ""), ("%Y-%m-%dT%H:%MZ", ""),
    ],
)  # fmt: skip
def test_dates(write: Write, form: str, writing: str) -> None:
    moments = [datetime(1969, 12, 31, 23, 59, 58, 250000, UTC), datetime(2024, 2, 29, 0, 5, tzinfo=UTC),
               datetime(2000, 11, 12, 12, 30, tzinfo=UTC)]  # fmt: skip
    cells = [moment.strftime(form) for moment in moments]
    wanted = [datetime.strptime(cell, form).replace(tzinfo=UTC).timestamp() for cell in cells]
    found = column(write, [*cells, "NA"])
    assert found.numbers is None
    assert found.seconds is not None
    np.testing.assert_allclose(found.seconds, [*wanted, np.nan], rtol=0, atol=1e-6)
    assert found.writing == writing


def test_an_offset_is_taken_off(write: Write) -> None:
    found = column(write, ["2024-01-01T00:00:00-03:00", "2024-01-01T05:30:00+05:30"])
    assert found.seconds.tolist() == [1704078000.0, 1704067200.0]


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        (["09:00", "23:59"], [540, 1439]), (["0:30", "12:05"], [30, 725]), (["9h", "14h30"], [540, 870]),
        (["12:30 AM", "1:00 pm"], [30, 780]), (["00:00:30", "01:00:00.5"], [0.5, 60 + 0.5 / 60]),
    ],
)  # fmt: skip
def test_times_of_day(write: Write, cells: list[str], minutes: list[float]) -> None:
    found = column(write, [*cells, "NA"])
    assert found.clock
    assert found.seconds is not None
    np.testing.assert_allclose(found.seconds, [60 * minute for minute in minutes] + [np.nan], atol=1e-9)


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-02-30", "2024-02-28"], ["2023-02-29", "2024-02-29"], ["2024-13-01", "2024-01-01"],
        ["2024-01-01", "2024/01/02"],
        ["2024-01-01 24:00", "2024-01-01 10:00"],
        ["2024-01-01 10:60", "2024-01-01 10:00"], ["0000-01-01", "2024-01-01"], ["13/13/2024", "01/01/2024"],
        ["1.2.10", "1.2.3"], ["00/01/2024", "01/02/2024"],
        ["10:30", "24:00"], ["9h30", "10:30"], ["10:30Z", "11:30Z"], ["13:00 PM", "01:00 PM"],
    ],
)  # fmt: skip
def test_what_is_no_date(write: Write, cells: list[str]) -> None:
    found = column(write, cells)
    assert found.seconds is None
    assert found.words.tolist() == cells


def test_one_column_settles_the_writing_of_the_whole_file(write: Write) -> None:
    text = "a;b;d;e\n1.234;7,5;01/02/2024;03/04/2024\n2.345;8,5;02/02/2024;31/01/2024\n"
    found = read(write(text))
    assert found.column("a").numbers.tolist() == [1234.0, 2345.0]
    assert found.column("d").seconds.tolist() == [1706745600.0, 1706832000.0]
    assert (found.reading.decimal, found.reading.dates) == (",", "day/month")
    assert any("decimal comma" in note and "day/month" in note for note in found.notes)


def test_what_is_said_settles_what_is_open(write: Write) -> None:
    text = "q;d;y\n1.234;01/02/2024;a\n5.678;03/04/2024;b\n"
    for rule, said in (("decimal_open", ReaderOptions()), ("dates_open", ReaderOptions(decimal="point"))):
        assert refusal_of(read, write(text), said).rule == rule
    found = read(write(text), ReaderOptions(decimal="point", dates="month/day"))
    assert found.column("q").numbers.tolist() == [1.234, 5.678]
    assert found.column("d").seconds[0] == datetime(2024, 1, 2, tzinfo=UTC).timestamp()
    found = read(write(text), ReaderOptions(decimal=",", dates="day/month"))
    assert found.column("q").numbers.tolist() == [1234, 5678]
    assert found.column("d").seconds[0] == datetime(2024, 2, 1, tzinfo=UTC).timestamp()
    found = read(write(text), ReaderOptions(text=("q", "d")))
    assert found.column("q").words.tolist() == ["1.234", "5.678"]


def test_a_file_of_the_same_make_settles_what_is_open_and_nothing_else(write: Write) -> None:
    make = read(write("q;d;y\n1.234,5;31/01/2024;a\n2;01/02/2024;b\n")).reading
    found = read(write("q;d;y\n1.234;01/02/2024;a\n"), ReaderOptions(like=make))
    assert found.column("q").numbers.tolist() == [1234.0]
    assert found.column("d").seconds[0] == datetime(2024, 2, 1, tzinfo=UTC).timestamp()
    assert "decimal comma" in " ".join(found.notes)
    other = read(write("q;d;y\n1.5;01/31/2024;a\n"), ReaderOptions(like=make))
    assert other.column("q").numbers.tolist() == [1.5]
    assert other.column("d").seconds[0] == datetime(2024, 1, 31, tzinfo=UTC).timestamp()


def test_a_column_of_the_other_sort_is_text_where_the_sign_was_said(write: Write) -> None:
    text = "a;b\n1.5;1,5\n2.5;2,5\n"
    found = read(write(text), ReaderOptions(decimal="comma"))
    assert found.column("a").numbers is None
    assert found.column("b").numbers.tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"delimiter": "::"}, "delimiter_form"), ({"delimiter": "\n"}, "delimiter_form"),
        ({"quote": "''"}, "quote_form"), ({"decimal": "coma"}, "decimal_choice"),
        ({"encoding": "utf-9"}, "encoding_choice"), ({"header": "maybe"}, "header_choice"),
        ({"dates": "year/day"}, "dates_choice"),
    ],
)  # fmt: skip
def test_what_can_not_be_said(given: dict[str, str], rule: str) -> None:
    error = refusal_of(ReaderOptions, **given)
    assert error.rule == rule


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n", ("x1", "x2", "x3"), 3),
        ("p,x\np,y\ne,x\np,y\n", ("p", "x"), None),
        ("p,x,x\np,y,x\ne,x,x\np,y,x\n", ("x1", "x2", "x3"), 4),
        ("country,1/22/20,1/23/20\nBR,0,1\nPT,2,3\n", ("country", "1/22/20", "1/23/20"), 2),
        ("year,2019\n1,5\n2,6\n", ("year", "2019"), 2),
        ("place,2018,2019,2020\nRio,7,8,9.5\n", ("place", "2018", "2019", "2020"), 1),
        ("a|b\n1,5|x\n2,5|y\n", ("a", "b"), 2),
        ("1,5;2,5\n3,5;4,5\n", ("x1", "x2"), 2),
        ("a b\n1.5  2\n  3  4.5 \n", ("a", "b"), 2),
        ("sep=;\na;b\n1;x,y\n", ("a", "b"), 1),
        ("'a','b'\n'1','it''s'\n", ("a", "b"), 1),
        ('a, "b"\n1, "x, y"\n', ("a", "b"), 1),
        ("a,b\n'tis,1\ndogs',2\n", ("a", "b"), 2),
        ('a,b\n5" pipe,1\n6" pipe,2\n', ("a", "b"), 2),
        ("a:b\n1:2\n", ("a", "b"), 1),
    ],
)
def test_delimiter_and_header(write: Write, text: str, names: tuple[str, ...], rows: int | None) -> None:
    if rows is None:
        assert refusal_of(read, write(text)).rule == "csv_header"
        assert read(write(text), ReaderOptions(header=False)).rows == text.count("\n")
        assert read(write(text), ReaderOptions(header=True)).names == names
        return
    found = read(write(text))
    assert found.names == names
    assert found.rows == rows


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8-sig", ""), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"), ("utf-32", "UTF-32"),
     ("latin-1", "Windows-1252"), ("cp1252", "Windows-1252")],
)  # fmt: skip
def test_encodings(write: Write, encoding: str, note: str) -> None:
    text = "preço,nome\n1,João\n2,Zoë\n" + ("3,“x”\n" if encoding == "cp1252" else "")
    content = text.encode(encoding)
    found = read(write(content))
    assert found.names == ("preço", "nome")
    assert found.column("nome").words.tolist()[:2] == ["João", "Zoë"]
    assert note in " ".join(found.notes)
    assert bool(note) == bool(found.notes)
    said = read(write("a,b\n1,Привет\n".encode("cp1251")), ReaderOptions(encoding="cp1251"))
    assert said.column("b").words.tolist() == ["Привет"]


@pytest.mark.parametrize("at", range(12))
def test_a_leading_zero_is_found_wherever_a_chunk_of_bytes_ends(
    write: Write, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("treino.data.readers.file_bytes.CHUNK", 7)
    monkeypatch.setattr("treino.data.readers.dialect.SAMPLE", 25)  # so that the first rows don't show it
    lines = ["n,m", *(f"{j},10{j}" for j in range(10, 16))]
    for cell, padded in (("07", True), ("-07", True), (" 07", True), ("0", False), ("0x7", None)):
        rows = [*lines[:4], f"{'1' * at},{cell}", *lines[4:]] if at else [*lines, f"{cell},1"]
        found = read(write("\n".join(rows) + "\n"))
        words = found.columns[1 if at else 0].words
        assert (words is not None) == (padded is not False), (cell, at)


@given(
    st.lists(
        st.sampled_from(["1.5", "0.125", "1.125", "1.125,5", "12", "007", "1e400", "nan", "", "x", "0,5"])
    ),
    st.lists(st.integers(0, 30)),
)
@settings(max_examples=80)
def test_cells_are_seen_the_same_in_any_blocks(cells: list[str], cuts: list[int]) -> None:
    """What is taken in the fast way says the same of a column as what is looked at cell by cell."""
    borders = [0, *sorted(min(cut, len(cells)) for cut in cuts), len(cells)]
    blocks, single = CellStatistics("c"), CellStatistics("c")
    for a, b in pairwise(borders):
        blocks.see(pa.array(cells[a:b], pa.string()), a)
    for i, cell in enumerate(cells):  # beside an empty one, none goes the fast way
        single.see(pa.array([cell, ""], pa.string()), 2 * i)
    outcomes = []
    for seen in (blocks, single):
        try:
            found = replace(decide([seen], ReaderOptions(), "it", str).columns[0], examples=())
            outcomes.append((found, seen.numbers.verdict))
        except TreinoError as error:
            outcomes.append((error.rule, seen.numbers.verdict))
    assert outcomes[0] == outcomes[1]
