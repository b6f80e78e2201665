"""``predict --to``: the source's rows as they are written, with what was predicted."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import treino as tr
from tests.conftest import refusal_of
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.data.readers import ReaderOptions, read_file
from treino.folders.prediction import Prediction, reading_of
from treino.folders.prediction import predict as work
from treino.folders.prediction_files import predictions_file, table_file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tr.Run:
    r = np.random.default_rng(1)
    frame = pd.DataFrame({"size": r.normal(50, 9, 90).round(1), "kind": r.choice(["a", "b"], 90)})
    frame["price"] = frame["size"] * 3 + (frame["kind"] == "a")
    return tr.fit(frame, target="price", epochs=1, parent=tmp_path_factory.mktemp("runs"))


def written(run: tr.Run, path: Path, ending: str = ".csv") -> bytes:
    return predictions_file(str(path), reading_of(run), work(run, str(path)).each, ending)


def test_a_file_keeps_its_own_writing(run: tr.Run, tmp_path: Path) -> None:
    """Delimiter, decimal comma, Windows-1252, line ends of Windows, and the order of its columns."""
    path = tmp_path / "new.csv"
    text = 'sep=;\r\nnota;size;kind\r\n"não; é";50,5;a\r\n=1+1;1.049,25;b\r\n-3;7,5;a\r\n'
    path.write_bytes(text.encode("cp1252"))
    found = written(run, path)
    assert found.startswith("sep=;\r\nnota;size;kind;prediction;low;high\r\n".encode("cp1252"))
    rows = list(csv.reader(io.StringIO(found.decode("cp1252"), newline=""), delimiter=";"))[2:]
    assert [row[:3] for row in rows] == [
        ["não; é", "50,5", "a"],
        ["'=1+1", "1.049,25", "b"],
        ["-3", "7,5", "a"],
    ]
    predicted = run.predict(pd.DataFrame({"size": [50.5, 1049.25, 7.5], "kind": ["a", "b", "a"]}))
    for name, place in (("prediction", 3), ("low", 4), ("high", 5)):
        assert [float(row[place].replace(",", ".")) for row in rows] == pytest.approx(
            predicted[name].tolist()
        )
    assert found.count(b"\r\n") == found.count(b"\n") == 5


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n\x1c\x1d\x1e\x1f\x85\u2028\u2029'"), max_size=8
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(
    notes=st.lists(cells.map(str.strip), min_size=2, max_size=6),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_cells_come_back_as_they_were(
    run: tr.Run, tmp_path: Path, notes: list[str], delimiter: str, encoding: str, end: str
) -> None:
    """Whatever they hold; those that a spreadsheet would run have an apostrophe before them."""
    path, text = tmp_path / "new.csv", io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["size", "note", "kind"])
    for i, note in enumerate(notes):
        writer.writerow([f"{40 + i}.5", note, "ab"[i % 2]])
    path.write_bytes(text.getvalue().encode(encoding))
    each = [Prediction(i, float(i), interval=(i - 1.0, i + 1.0)) for i in range(len(notes))]
    found = predictions_file(str(path), ReaderOptions(delimiter=delimiter), each, ".csv")
    rows = list(csv.reader(io.StringIO(found.decode(encoding), newline=""), delimiter=delimiter))
    assert rows[0] == ["size", "note", "kind", "prediction", "low", "high"]
    for i, (row, note) in enumerate(zip(rows[1:], notes, strict=True)):
        assert row[1].removeprefix("'") == note
        assert row[1][:1] not in ("=", "+", "@") or row[1].lstrip("+").replace(",", ".").isdecimal()
        assert row[0::2][:2] == [f"{40 + i}.5", "ab"[i % 2]]
        assert row[3:] == [str(float(i)), str(i - 1.0), str(i + 1.0)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_end_of_line_within_a_cell_stays_there(run: tr.Run, tmp_path: Path, end: str) -> None:
    path, notes = tmp_path / "new.csv", ["one\rtwo", "one\ntwo", "one\r\ntwo", "one"]
    rows = "".join(f'{40 + i}.5,"{note}",a{end}' for i, note in enumerate(notes))
    path.write_bytes(f"size,note,kind{end}{rows}".encode())
    each = [Prediction(i, float(i)) for i in range(len(notes))]
    found = predictions_file(str(path), ReaderOptions(), each, ".csv").decode()
    assert [row[1] for row in csv.reader(io.StringIO(found, newline=""))] == ["note", *notes]
    of_its_own = table_file({"note": notes, "n": [1.0, 2.0, 3.0, 4.0]}, ".csv").decode()
    assert [row[0] for row in csv.reader(io.StringIO(of_its_own, newline=""))] == ["note", *notes]


def test_cells_that_a_spreadsheet_would_run_become_text() -> None:
    cells = ["=1", "+x", "-x", "@x", "\t=1", "\n=1", "\uff1d1", "\uff0bx", "\uff0dx", "\uff20x"]
    assert "'\r=1" in table_file({"c": ["\r=1"]}, ".csv").decode()
    kept = ["-5", "+5", "-5,5", "-1e3", "-", "a=1", "", "x"]
    rows = csv.reader(io.StringIO(table_file({"=c": cells + kept}, ".csv").decode(), newline=""))
    read = [row[0] if row else "" for row in rows]
    assert read == ["'=c", *(f"'{cell}" for cell in cells), *kept]


def test_a_full_disk_is_named_for_a_workbook_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows go through a temporary file: the folder of that is full, not that of the workbook."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    columns = {"x": np.random.default_rng(0).normal(size=20_000).tolist()}
    assert table_file({"x": [1.5]}, ".xlsx")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        caught = refusal_of(table_file, columns, ".xlsx")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.rule == "disk_full"
    assert str(tmp_path) in caught.message
    assert not list(tmp_path.iterdir())


def test_a_workbook_has_types_and_no_formulas(run: tr.Run, tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [50.5, np.nan], "kind": ["a", "b"], "note": ["=HYPERLINK(1)", "x"]})
    frame["day"], frame["price"] = pd.to_datetime(["2024-02-03", "2024-02-04"]), [1.0, 2.0]
    frame.to_parquet(tmp_path / "new.parquet")
    (tmp_path / "out.xlsx").write_bytes(written(run, tmp_path / "new.parquet", ".xlsx"))
    head, one, two = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows()
    assert [c.value for c in head] == [*frame.columns, "prediction", "low", "high"]
    assert [c.value for c in one][:5] == [50.5, "a", "=HYPERLINK(1)", dt.datetime(2024, 2, 3), 1]
    assert one[2].data_type == "s"
    assert (two[0].value, two[2].value) == (None, "x")
    predicted = run.predict(frame)
    assert [c.value for c in two][5:] == pytest.approx(predicted.loc[1].tolist())


def test_any_other_table_becomes_plain_csv(run: tr.Run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["size", "kind", "prediction"], [50.5, "a", "mine"], [40, "b", "-x"]):
        book.active.append(row)
    book.save(tmp_path / "new.xlsx")
    rows = list(csv.reader(written(run, tmp_path / "new.xlsx").decode().splitlines()))
    assert rows[0] == ["size", "kind", "prediction", "prediction (treino)", "low", "high"]
    assert [row[:3] for row in rows[1:]] == [["50.5", "a", "mine"], ["40", "b", "'-x"]]


def test_the_command_writes_both(run: tr.Run, treino: Callable[..., Any], tmp_path: Path) -> None:
    Path("new.csv").write_text("size;kind\n50,5;a\n40,5;b\n")
    for name in ("out.csv", "out.xlsx"):
        said = treino("predict", str(run.path), "new.csv", "--to", name, "--json")
        assert (said.status, said.document["path"], said.document["rows"]) == (0, name, 2)
        assert Path(name).stat().st_size
    assert Path("out.csv").read_text().splitlines()[0] == "size;kind;prediction;low;high"
    assert treino("predict", str(run.path), "new.csv", "--to", "out.ods").status == 2


# what a spreadsheet would run, follow or guess, and what means something else to XML, Excel or XlsxWriter
SPECIAL = [
    "=1+1",
    "+5",
    "-x",
    "@a",
    "{=1}",
    "http://x.y",
    "mailto:a",
    "2024-01-01",
    "1e5",
    "0001",
    "true",
    "NaN",
]
SPECIAL += [
    "#N/A",
    "<r>x</r>",
    "<r><t>a</t></r>",
    "<r></r>",
    "<b>&\"'",
    "_x0041_",
    "\x07",
    "a\nb\tc",
    "\u65e5\U0001d4b3",
]
worded = st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=8)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(SPECIAL) | worded,
            st.none() | st.floats(),
            st.datetimes(dt.datetime(1900, 3, 1)).map(lambda t: t.replace(microsecond=0)),
            st.times().map(lambda t: t.replace(microsecond=0)),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_what_a_workbook_is_given_is_what_is_read(tmp_path: Path, rows: list[Any]) -> None:
    """By treino, which removes blanks around words; numbers to the last bit."""
    words, numbers, moments, times = zip(
        ("word", 0.1 + 0.2, dt.datetime(2024, 2, 29), dt.time(1)), *rows, strict=True
    )
    path = tmp_path / "t.xlsx"
    columns = {
        "word": words,
        "number": numbers,
        "moment": moments,
        "time": times,
        "=last": ["x"] * len(words),
    }
    path.write_bytes(table_file(columns, ".xlsx"))
    table = read_file(path)
    assert table.names == tuple(columns)
    word, number, moment, time, _last = table.columns
    assert [word.cell(i) or "" for i in range(len(words))] == [text.strip() for text in words]
    wanted = [v if v is not None and np.isfinite(v) else np.nan for v in numbers]
    np.testing.assert_array_equal(number.numbers, wanted)
    assert moment.seconds.tolist() == [(m - dt.datetime(1970, 1, 1)).total_seconds() for m in moments]
    assert time.seconds.tolist() == [t.hour * 3600 + t.minute * 60 + t.second for t in times]


def test_a_day_before_those_of_a_sheet_is_text_and_what_it_has_no_room_for_is_refused(tmp_path: Path) -> None:
    old = [dt.datetime(1850, 1, 2), dt.datetime(1900, 2, 28, 12)]
    longest = "\U0001d4b3" * 16_383 + "x"
    (tmp_path / "t.xlsx").write_bytes(table_file({"day": old, "text": [longest, "x"]}, ".xlsx"))
    cells = list(openpyxl.load_workbook(tmp_path / "t.xlsx").active.iter_rows(min_row=2, values_only=True))
    assert cells == [("1850-01-02 00:00:00", longest), ("1900-02-28 12:00:00", "x")]
    for columns, rule, said in (
        ({"note": ["x", longest + "y"]}, "workbook_text", "row 3 of column note"),
        ({longest + "y": ["x"]}, "workbook_text", "row 1 of column"),
        ({str(i): [1] for i in range(16_385)}, "workbook_columns", "columns"),
    ):
        caught = refusal_of(table_file, columns, ".xlsx")
        assert (caught.rule, said in caught.message) == (rule, True)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=12)
@given(
    cells=st.lists(st.sampled_from([("a", "50.5"), ("b", "7"), ("", ""), ("a", ""), ("", "8")])),
    place=st.integers(0, 3),
    form=st.sampled_from([",", ";", "\t", "jsonl", "xlsx", "parquet", "quoted"]),
)
def test_a_row_in_is_a_row_out(
    run: tr.Run, tmp_path: Path, cells: list[tuple[str, str]], place: int, form: str
) -> None:
    """Also a row without any cell, wherever it is. Of a sheet, rows below its last cell are none."""
    cells.insert(place, ("b", "6.5"))
    frame = pd.DataFrame(cells, columns=["kind", "size"])
    if form == "xlsx":
        while cells and cells[-1] == ("", ""):
            cells.pop()
    path = tmp_path / ("new." + (form if form in ("jsonl", "xlsx", "parquet") else "csv"))
    typed = frame.replace("", None).astype({"size": float})
    if form == "jsonl":
        lines = [
            {k: v for k, v in row.items() if v == v and v is not None} for row in typed.to_dict("records")
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    elif form in ("xlsx", "parquet"):
        typed.to_excel(path, index=False) if form == "xlsx" else typed.to_parquet(path)
    else:
        quoting = csv.QUOTE_ALL if form == "quoted" else csv.QUOTE_MINIMAL
        frame.to_csv(path, index=False, sep="," if form == "quoted" else form, quoting=quoting)
    found = work(run, str(path)).each
    assert [p.row for p in found] == list(range(len(cells)))
    assert len(written(run, path).decode().splitlines()) == 1 + len(cells)
    by_cells = {own: p.value for own, p in zip(cells, found, strict=True)}
    assert [p.value for p in found] == pytest.approx([by_cells[own] for own in cells])


def test_rows_without_a_cell_are_said_and_blank_lines_are_none(run: tr.Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("size,kind\n\n50,a\n,\n   \n7,b\n,\n\n\n")
    found = work(run, str(tmp_path / "new.csv"))
    assert len(found.each) == 4
    assert "Blank lines, which are no rows: 2, the first is line 2." in found.notes
    assert any("without a value in any input: 2, the first in line 4" in note for note in found.notes)
    with_note = "size,kind\n50,a\n,\n7,b\n,\nSource: us,\n"
    (tmp_path / "new.csv").write_text(with_note)
    found = work(run, str(tmp_path / "new.csv"))
    assert len(found.each) == 4
    assert any("below the table (Source: us)" in note for note in found.notes)


def test_out_of_fold_predictions_stand_beside_their_rows(treino: Callable[..., Any]) -> None:
    lines = [f"{i},{2 * i + i % 3}.5" for i in range(24)]
    lines[3] = lines[10] = lines[23] = ","
    Path("t.csv").write_text("\n".join(["x,y", *lines, ""]))
    done = treino(
        "train", "t.csv", "--target", "y", "--folds", 3, "--epochs", 1, "--to", "o.csv", "--name", "f"
    )
    assert done.status == 0, done.err
    rows = list(csv.DictReader(Path("o.csv").read_text().splitlines()))
    assert [f"{row['x']},{row['y']}" for row in rows] == lines
    assert [i for i, row in enumerate(rows) if not row["prediction"]] == [3, 10, 23]


def test_a_file_of_predictions_can_be_predicted_again(run: tr.Run, tmp_path: Path) -> None:
    """Again and again, in every format, and where the source has such columns from the beginning."""
    path = tmp_path / "0.csv"
    path.write_text("size,kind,prediction,low,low (treino)\n50,a,1,2,3\n7,b,1,2,3\n")
    for turn, ending in enumerate([".csv", ".csv", ".xlsx", ".csv", ".xlsx"], 1):
        content = written(run, path, ending)
        path = tmp_path / f"{turn}{ending}"
        path.write_bytes(content)
        if ending == ".xlsx":
            names = [cell.value for cell in next(openpyxl.load_workbook(path).active.iter_rows())]
            assert len({name.casefold() for name in names}) == 5 + 3 * turn
        else:
            names = next(csv.reader(content.decode().splitlines()))
        assert len(set(names)) == len(names) == 5 + 3 * turn
        assert f"prediction (treino{f' {turn}' if turn > 1 else ''})" in names
    (tmp_path / "new.csv").write_text("size,kind,Prediction\n50,a,1\n")
    (tmp_path / "out.xlsx").write_bytes(written(run, tmp_path / "new.csv", ".xlsx"))
    names = [cell.value for cell in next(openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows())]
    assert names[2:] == ["Prediction", "prediction (treino)", "low", "high"]  # to a sheet they are one name


def test_true_and_false_are_written_as_in_the_file(treino: Callable[..., Any], tmp_path: Path) -> None:
    Path("t.csv").write_text(
        "x,churn\n" + "".join(f"{i}.5,{'FALSE' if i < 20 else 'TRUE'}\n" for i in range(40))
    )
    done = treino("train", "t.csv", "--target", "churn", "--epochs", 1, "--name", "r", "--json")
    assert done.document["classes"] == ["FALSE", "TRUE"]
    Path("new.csv").write_text("x,churn\n1.5,false\n39.5,True\n")
    said = treino("predict", "r", "new.csv", "--json")
    assert {p["prediction"] for p in said.document["predictions"]} <= {"FALSE", "TRUE"}
    assert said.document["rows_compared"] == 2
    assert treino("predict", "r", "new.csv", "--to", "o.csv").status == 0
    head = Path("o.csv").read_text().splitlines()[0]
    assert head == "x,churn,prediction,probability_FALSE,probability_TRUE"


@pytest.mark.slow
def test_columns_of_several_targets_are_told_apart(treino: Callable[..., Any], tmp_path: Path) -> None:
    """probability_a_b_c would be of target a's class b_c, and of target a_b's class c."""
    x = np.random.default_rng(2).normal(size=60).round(2)
    frame = pd.DataFrame({"x": x, "a": np.where(x > 0, "b_c", "z"), "a_b": np.where(x > 0.3, "c", "w")})
    frame.to_csv("t.csv", index=False)
    run = tr.fit("t.csv", target="a,a_b", epochs=1, out=tmp_path / "r")
    wanted = ["prediction_a", "probability: a: b_c", "probability_a_z"]
    wanted += ["prediction_a_b", "probability: a_b: c", "probability_a_b_w"]
    shown = run.predict(frame)
    assert list(shown.columns) == wanted
    each = work(run, "t.csv").each
    assert shown["probability: a_b: c"].tolist() == [p.targets["a_b"].probabilities["c"] for p in each]
    assert written(run, Path("t.csv")).decode().splitlines()[0] == ",".join(["x", "a", "a_b", *wanted])
    assert treino("export", "r", "--format", "script").status == 0
    script = next((tmp_path / "r" / "exports").glob("*.py")).read_text()
    assert all(f'"{name}"' in script for name in wanted)
