"""Workbooks: what openpyxl writes is what is read, and what is no table is told apart or refused."""

import datetime as dt
import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treino as tr
from tests.conftest import refusal_of
from treino.base.errors import TreinoError
from treino.data.readers import ReaderOptions, read_file

HEAD = ["size", "kind", "day", "hour", "ok", "price"]


def house(i: int) -> list:
    return [
        20.5 + i, ["flat", "house"][i % 2], dt.datetime(2024, 1, 1) + dt.timedelta(days=i),
        dt.time(i % 24, 30), i % 3 == 0, 100 * i + i % 7,
    ]  # fmt: skip


def book(path: Path, **sheets: list[list]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_cells_are_what_the_workbook_has(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", cover=[], Houses=[HEAD, *map(house, range(40))])
    table = read_file(path)
    assert table.names == tuple(HEAD)
    assert table.column("size").numbers.tolist() == [20.5 + i for i in range(40)]
    assert table.column("kind").words.tolist() == ["flat", "house"] * 20
    first = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()
    assert table.column("day").seconds.tolist() == [first + 86400 * i for i in range(40)]
    assert table.column("hour").seconds.tolist() == [3600 * (i % 24) + 1800 for i in range(40)]
    assert table.column("ok").boolean
    assert any("the sheet Houses (others: cover)" in note for note in table.notes)
    assert table.place(0) == "row 2 of the sheet"


cells = st.one_of(
    st.floats(-1e9, 1e9).map(lambda v: round(v, 6)), st.integers(-(10**9), 10**9), st.none(),
    st.sampled_from(["red", "green", "näh", "a;b"]),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=12))
def test_numbers_and_words_survive(rows: list[tuple]) -> None:
    """Against openpyxl's own reader, which treino does not use."""
    made = openpyxl.Workbook()
    made.active.append(["n", "a", "b"])
    for i, row in enumerate(rows):
        made.active.append([i, *row])
    content = io.BytesIO()
    made.save(content)
    path = Path("/tmp") / f"treino-{np.random.default_rng().integers(1 << 60)}.xlsx"
    path.write_bytes(content.getvalue())
    try:
        table = read_file(path)
        theirs = list(openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True))
    finally:
        path.unlink()
    for j, name in enumerate(("n", "a", "b")):
        column, wanted = table.column(name), [row[j] for row in theirs]
        if column.odd is not None:
            assert any(isinstance(value, str) for value in wanted)
        elif column.numbers is not None:
            there = np.array([np.nan if value is None else value for value in wanted], dtype=float)
            np.testing.assert_array_equal(column.numbers, there)
        else:
            for said, value in zip(column.words, wanted, strict=True):
                assert said == ("" if value is None else str(value) if isinstance(value, str) else said)


def test_titles_notes_and_headers_of_two_rows(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet["B2"] = "Sales report"
    for row in ([], ["", "house", None, "price"], ["", "size", "rooms", None]):
        sheet.append(row)
    start = sheet.max_row - 1
    sheet.merge_cells(start_row=start, end_row=start, start_column=2, end_column=3)
    for i in range(30):
        sheet.append([None, 20 + i, 1 + i % 4, 100 * i])
    sheet.append([])
    sheet.append([None, "Source: our books"])
    made.save(tmp_path / "t.xlsx")
    table = read_file(tmp_path / "t.xlsx")
    assert table.names == ("house size", "house rooms", "price")
    assert len(table.column("price")) == 30
    (note,) = table.notes
    assert "above the table (Sales report)" in note
    assert "below the table (Source: our books)" in note
    assert table.place(0) == f"row {start + 2} of the sheet"


def test_a_whole_training_and_its_predictions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    book(tmp_path / "t.xlsx", first=[["nothing"]], houses=[HEAD, *map(house, range(60))])
    run = tr.fit("t.xlsx", target="price", sheet="houses", epochs=2, lean=True)
    assert run.spec.command.startswith("treino train ../../t.xlsx --target price --sheet houses")
    book(tmp_path / "new.xlsx", houses=[HEAD[:-1], *(house(i)[:-1] for i in range(5))])
    found = run.predict("new.xlsx")
    assert len(found) == 5
    assert np.array_equal(tr.open(run.path).data.train.x, run.data.train.x)


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
 <table:table table:name="One">{rows}</table:table></office:spreadsheet></office:body>
 </office:document-content>"""


def libreoffice(path: Path, content: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest:manifest xmlns:manifest='urn:x'/>")
        archive.writestr("content.xml", content)
    return path


def test_a_workbook_of_libreoffice(tmp_path: Path) -> None:
    def cell(value: object) -> str:
        if isinstance(value, str):
            text = f"<text:p>{value}</text:p>"
            return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
        if isinstance(value, dt.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"/>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = [["n", "kind", "day"], [1.5, "red", dt.date(2024, 2, 1)], [2, "blue", dt.date(2024, 2, 2)]]
    text = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    table = read_file(libreoffice(tmp_path / "t.ods", ODS.format(rows=text)))
    assert table.column("n").numbers.tolist() == [1.5, 2]
    assert table.column("kind").words.tolist() == ["red", "blue"]
    assert table.column("day").seconds[1] - table.column("day").seconds[0] == 86400


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_read_where_it_is_named_alone(tmp_path: Path, state: str) -> None:
    path = book(tmp_path / "t.xlsx", lists=[["lists1"], [1]], houses=[["houses1"], [1]])
    made = openpyxl.load_workbook(path)
    made["lists"].sheet_state = state
    made.save(path)
    shown, named = read_file(path), read_file(path, ReaderOptions(sheet="lists"))
    assert (shown.names, named.names) == (("houses1",), ("lists1",))
    assert "the sheet houses (others: lists, which is hidden)" in shown.notes[0]
    assert "the sheet lists, which is hidden (others: houses)" in named.notes[0]


def test_where_hidden_sheets_alone_have_cells_one_is_to_be_named(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", notes=[], lists=[["a"], [1]])
    made = openpyxl.load_workbook(path)
    made["lists"].sheet_state = "hidden"
    made.save(path)
    found = refused(path)
    assert (found.rule, found.hint) == ("workbook_hidden", "Name one: sheet='lists'")
    assert read_file(path, ReaderOptions(sheet="lists")).names == ("a",)


def refused(path: Path, **reading: str) -> TreinoError:
    return refusal_of(read_file, path, ReaderOptions(**reading))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    good = [HEAD, *map(house, range(6))]
    two = [[*row, "", *row] for row in ([str(c) for c in row] for row in good)]
    assert refused(book(tmp_path / "a.xlsx", t=two)).rule == "workbook_tables"
    assert "(G)" in refused(tmp_path / "a.xlsx").message
    assert refused(book(tmp_path / "b.xlsx", t=[*good, [], *good])).rule == "workbook_tables"
    assert refused(book(tmp_path / "c.xlsx", t=[])).rule == "workbook_empty"
    path = book(tmp_path / "d.xlsx", Houses=good, other=[])
    assert refused(path, sheet="House").rule == "sheet_unknown"
    assert "'Houses'" in refused(path, sheet="House").hint
    assert refused(path, sheet="3").rule == "sheet_unknown"
    assert refused(path, sheet="2").rule == "workbook_empty"
    assert read_file(path, ReaderOptions(sheet="1")).names == tuple(HEAD)
    assert refused(book(tmp_path / "e.xlsx", t=[["a", "b"]])).rule == "csv_no_rows"
    formulas = book(tmp_path / "f.xlsx", t=[["a", "b"], [1, "=A2*2"], [2, "=A3*2"]])
    assert "2 formulas have no stored value, the first in B2" in refused(formulas).message
    (tmp_path / "h.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert refused(tmp_path / "h.xls").rule == "workbook_encrypted"
    (tmp_path / "i.xlsx").write_bytes(path.read_bytes()[:-300])
    assert refused(tmp_path / "i.xlsx").rule == "file_damaged"
    (tmp_path / "j.xlsx").write_text("a,b\n1,2\n3,4\n")
    assert read_file(tmp_path / "j.xlsx").names == ("a", "b")  # a renamed CSV is the table that it is
    assert refused(tmp_path / "j.xlsx", sheet="1").rule == "sheet_of_no_workbook"


def test_more_cells_than_a_sheet_is_read_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", t=[HEAD, *map(house, range(6))])
    monkeypatch.setattr("treino.data.readers.workbook.MOST_CELLS", 40)
    assert refused(path).rule == "workbook_size"


def test_errors_are_told(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsm", t=[["a", "b"], [1, "#DIV/0!"], [2, 5], [3, 6]])
    table = read_file(path)
    assert np.isnan(table.column("b").numbers[0])
    (note,) = table.notes
    assert "cells with an error such as #DIV/0! as cells without a value (1)" in note
