"""``predict --to``: the source's rows as they are written, with what was predicted."""

import csv
import datetime as dt
import io
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
from tests.quick_ends import _quick_ends  # noqa: F401
from treino.data.readers import ReaderOptions
from treino.folders.prediction import Prediction, reading_of
from treino.folders.prediction import predict as work
from treino.folders.prediction_files import predictions_file


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


def test_a_workbook_has_types_and_no_formulas(run: tr.Run, tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": [50.5, np.nan], "kind": ["a", "b"], "note": ["=HYPERLINK(1)", "x\x07"]})
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


def test_without_openpyxl_it_says_what_to_install(
    run: tr.Run, treino: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("new.csv").write_text("size,kind\n50.5,a\n")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    said = treino("predict", str(run.path), "new.csv", "--to", "out.xlsx")
    assert (said.status, "treino[excel]" in said.err, Path("out.xlsx").exists()) == (2, True, False)
