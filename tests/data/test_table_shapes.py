"""What stands around a table is left out and said: titles, units, notes, saved indexes, empty columns."""

import gzip
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.base.errors import TreinoError
from treino.data import describe, load
from treino.data.readers import ReaderOptions, read_file

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "site": [f"{'abc'[i % 3]} bay" for i in range(40)],
        "depth": RNG.normal(9, 2, 40).round(3),
        "count": RNG.integers(0, 90, 40),
    }
)
PLAIN = FRAME.to_csv(index=False)
HEAD, ROWS = PLAIN.split("\n", 1)


def padded(text: str, by: str) -> str:
    return "".join(line + by + "\n" for line in text.splitlines())


def shuffled() -> str:
    return FRAME.sample(frac=1, random_state=1).sort_values("site", kind="stable").to_csv()


SHAPES = {
    "a title": ("Catches of 2024\n" + PLAIN, "Catches of 2024"),
    "two titles, a blank line": ("Catches\nMade: 2024-05-01 12:30\n\n" + PLAIN, "Catches; Made: 2024-05-01"),
    "a title with commas": ("Catches, by site, and depth\n" + PLAIN, "Catches by site and depth"),
    "a title with more commas than columns": ("Bays, a, b, c, d and e\n" + PLAIN, "Bays a b"),
    "a title with the delimiter": ("Sites; all\n" + PLAIN.replace(",", ";"), "Sites all"),
    "comments": ("# by: us\n# unit, m, 1\n" + PLAIN, "# by: us; # unit m 1"),
    "percent signs": ("% by us\n" + PLAIN.replace(",", "\t"), "% by us"),
    "Excel's line and a title": ("sep=;\nCatches\n" + PLAIN.replace(",", ";"), "Catches"),
    "a padded title": ("Catches,,\n,,\n" + PLAIN, "above the table (Catches)"),
    "a padded title and a date": ("Catches,,2024-01-01\n,,\n" + PLAIN.replace("\n", "\n"), "Catches 2024"),
    "units below the header": (f"{HEAD}\n,(m),[n]\n{ROWS}", "below the header ((m) [n])"),
    "questions below the header": (f"{HEAD}\nWhere?,How deep?,How many?\na,b,c\n{ROWS}", "How deep?"),
    "a note below": (PLAIN + "\nSource: the bay office, 2024\n", "below the table (Source: the bay"),
    "a padded note below": (PLAIN + ",,\nData from database: bays,,\n,,\n", "Data from database: bays"),
    "a note of the office": (PLAIN + "Fonte: IBGE,,\n", "Fonte: IBGE"),
    "notes of several words": (PLAIN + "\nSpecial value:\n:,not available\n", "not available"),
    "a line of rules": (f"{HEAD}\n----,-----,--\n{ROWS}\n(40 rows affected)\n", "---- ----- --"),
    "names and values above": (
        "Account:,12\nPeriod:,2024-01-01 to 2024-05-01\n" + PLAIN, "Account: 12; Period: 2024-01-01"
    ),
    "a note at once": (PLAIN + "# end of file\n", "# end of file"),
    "empty rows": (PLAIN + ",,\n,,\n", "Rows without any cell, which are left out: 2."),
    "pandas' index": (FRAME.to_csv(), "a saved index (0, 1, 2, …)"),
    "the index of a part": (shuffled(), "a saved index"),
    "an index twice": (FRAME.set_index(FRAME.index % 20).to_csv(), "a saved index (0, 1, 2, …)"),
    "R's names of rows": (FRAME.set_index("r" + FRAME.index.astype(str)).to_csv(), "a saved index (r0"),
    "R's shorter header": (HEAD + "\n" + FRAME.to_csv(header=False), "a saved index (0, 1"),
    "R's shorter header, tabs": (
        HEAD.replace(",", "\t") + "\n" + FRAME.to_csv(header=False, sep="\t"), "a saved index (0, 1"
    ),
    "trailing commas": (padded(PLAIN, ",,"), "no name and no cells (2)"),
    "trailing commas of rows": (f"{HEAD}\n" + padded(ROWS, ","), "no name and no cells (1)"),
    "all at once": (
        "Report\n\n" + padded(FRAME.to_csv(), ",").replace(",", ";") + ";;;;\nNote: provisional;;;;\n",
        "Report",
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("case", SHAPES)
def test_the_table_is_the_one_within(write: Write, case: str, end: str) -> None:
    text, said = SHAPES[case]
    path = write(text.replace("\n", end))
    table, plain = read_file(path), read_file(write(PLAIN, "plain.csv"))
    assert table.names == plain.names
    assert said in " ".join(table.notes)
    for column in table.columns:
        cells = [plain.column(column.name).cell(i) for i in range(40)]
        assert sorted(column.cell(i) for i in range(table.rows)) == sorted(cells)
    lines = text.split("\n")
    place = int(table.place(3).rpartition(" ")[2])
    assert table.column("site").cell(3) in lines[place - 1]


@pytest.mark.parametrize("content", ["a,b", "a;b\r\n", "a\tb\r", "\ufeffa,b", "a,b\n \n\n"])
def test_a_header_alone_has_no_rows(write: Write, content: str) -> None:
    for path in (write(content), write(gzip.compress(content.encode()), "t.csv.gz")):
        assert refusal_of(read_file, path).rule == "csv_no_rows"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("a,b,c\n1,2\n3,4,5\n6,7,8\n", "csv_ragged"),  # a row that lacks a cell is no title
        ("a,b,c,d\n1,2,3\n4,5,6\n", "csv_ragged"),
        ("a,b\n1,2,3\n1,5,6\n", "csv_ragged"),
        (PLAIN + "c bay\n", "csv_ragged"),  # a file that was cut
        (PLAIN + "\n9,3\n", "csv_ragged"),
        ("a,b,\n1,2,\n3,4,5\n", "column_name_empty"),
        ("a,b,\n" + "1,2,\n" * 70_000 + "3,4,5\n", "column_name_empty"),  # beyond the first rows
    ],
)
def test_rows_are_never_taken_for_something_else(write: Write, content: str, rule: str) -> None:
    assert refusal_of(read_file, write(content)).rule == rule


def test_years_above_numbers_are_names_beside_trailing_delimiters(write: Write) -> None:
    rows = "".join(f'"Land {i % 7}","{i / 8}","{i * i % 9 / 8}","{i % 5 / 8}",\n' for i in range(20))
    text = '"Source","Indicators",\n\n"Updated","2024-05-01",\n\n"Land","1990","1991","1992",\n' + rows
    table = read_file(write(text))
    assert table.names == ("Land", "1990", "1991", "1992")
    numbered = read_file(write('"#","t","u"\n' + "".join(f"{i},{i * 3 % 7}.5,{i}.25\n" for i in range(9))))
    assert numbered.names == ("#", "t", "u")


def test_a_first_row_of_words_is_a_row(write: Write) -> None:
    text = f"{HEAD}\na bay,unknown,3\n{ROWS}"
    assert read_file(write(text)).rows == 41
    assert read_file(write("name,mood\nann,good\nbob,bad\ncid,good\n")).rows == 3


def test_names_that_come_again_are_pandas_names(write: Write, tmp_path: Path) -> None:
    for names in (["a", "a", "b", "a"], ["a", "b", "a.1", "a"], ["y", "y", "y", "z"]):
        rows = [[i, i * i % 7, i * 3, i % 5] for i in range(9)]
        text = "\n".join(",".join(map(str, row)) for row in [names, *rows])
        path = write(text)
        assert read_file(path).names == tuple(pd.read_csv(path).columns)
        book = openpyxl.Workbook()
        for row in [names, *rows]:
            book.active.append(row)
        book.save(tmp_path / "t.xlsx")
        assert read_file(tmp_path / "t.xlsx").names == tuple(pd.read_csv(path).columns)
        assert "told apart" in read_file(path).notes[0]


def test_skip_says_where_the_table_begins(write: Write) -> None:
    text = "x,y,z\n1,2,3\n4,5,6\n\n" + PLAIN
    path = write(text)
    with pytest.raises(TreinoError):
        load(path, target="count")
    assert load(path, target="count", reading={"skip": 4}).features == ("site", "depth")
    assert refusal_of(read_file, path, ReaderOptions(skip=900)).rule == "csv_no_rows"
    assert refusal_of(ReaderOptions, skip=-1).rule == "skip_range"


def test_merged_cells_have_the_value_of_their_range(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [
        ["Survey"],
        ["site", "year", "n"],
        *[["x" * (i % 4 == 0), 2000 + i, i * i % 7] for i in range(12)],
    ]:
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    for i, name in ((3, "north"), (7, "south"), (11, "west")):
        sheet.cell(i, 1).value = name
        sheet.merge_cells(start_row=i, end_row=i + 3, start_column=1, end_column=1)
    book.save(tmp_path / "t.xlsx")
    table = read_file(tmp_path / "t.xlsx")
    assert table.column("site").words.tolist() == ["north"] * 4 + ["south"] * 4 + ["west"] * 4
    assert "merged cells filled with the value of their range (3)" in table.notes[0]


@pytest.mark.parametrize("delimiter", [":", " ", "+", ";", "~"])
def test_single_quotes_enclose_cells_beside_any_delimiter(write: Write, delimiter: str) -> None:
    rows = [["kind", "note", "size"], *([f"k{i % 3}", f"a{delimiter}b", f"{i}.5"] for i in range(9))]
    path = write("".join(delimiter.join(f"'{cell}'" for cell in row) + "\n" for row in rows))
    for reading in (
        ReaderOptions(delimiter="+") if delimiter == "+" else None,
        ReaderOptions(delimiter=delimiter, quote="'"),
    ):
        assert read_file(path, reading).column("note").words.tolist() == [f"a{delimiter}b"] * 9


@pytest.mark.parametrize(
    ("last", "said"),
    [("Total,{},{}", True), ("Soma:,{},{}", True), ("c bay,{},{}", True), ("c bay,1.5,3", False)],
)
def test_a_last_row_that_is_a_total_is_named(write: Write, last: str, said: bool) -> None:
    sums = (round(float(FRAME["depth"].sum()), 3), int(FRAME["count"].sum()))
    notes = read_file(write(PLAIN + last.format(*sums) + "\n")).notes
    assert any("in line 42, looks like a total" in note for note in notes) == said


def test_classes_that_may_be_a_score_or_several_are_doubted(write: Write) -> None:
    score = load(FRAME.assign(y=np.arange(40) * 7 % 6 + 1), target="y")
    assert any("'y' are taken as 6 classes" in note and "task='regression'" in note for note in score.notes)
    tags = FRAME.assign(y=[["a|b", "a", "b|c", "c"][i % 4] for i in range(40)])
    assert any("several classes, as 'a|b'" in note for note in load(tags, target="y").notes)
    assert "class_doubtful" in {warning.rule for warning in describe(tags, "y").warnings}
    for y in (["New York, NY", "Rio, RJ", "Lyon"], [1, 2, 4], ["a/b", "c/d", "e/f"]):
        plain = load(FRAME.assign(y=[y[i % 3] for i in range(40)]), target="y")
        assert not any("seem to hold" in note or "without an order" in note for note in plain.notes)
