"""Files that somebody crafted, or that rare programs write: read as they are, or refused by name."""

import gzip
import io
import json
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from tests.conftest import Said, Treino
from treino.data.readers import columnar
from treino.data.readers.file_bytes import open_file

N = 60
PLAIN: dict[str, list[Any]] = {
    "a": [i * 7 % 11 + 0.5 for i in range(N)],
    "y": ["pq"[i % 3 == 0] for i in range(N)],
}
ROWS = [{"a": PLAIN["a"][i], "b": i % 5, "y": PLAIN["y"][i]} for i in range(N)]
LINES = [json.dumps(row) for row in ROWS]
CSV = "a,b,y\n" + "".join(f"{row['a']},{row['b']},{row['y']}\n" for row in ROWS)


def write(path: Path, cells: pa.Array, **metadata: str) -> str:
    """A table with these cells in its column c, as Parquet if Parquet has the type, else as an Arrow file."""
    fields = [pa.field("a", pa.float64()), pa.field("y", pa.string())]
    schema = pa.schema([*fields, pa.field("c", cells.type, metadata=metadata or None)])
    table = pa.Table.from_arrays([pa.array(PLAIN["a"]), pa.array(PLAIN["y"]), cells], schema=schema)
    try:
        parquet.write_table(table, path / "t.parquet")
    except pa.ArrowException:
        with ipc.new_file(path / "t.arrow", schema) as file:
            file.write_table(table)
        return "t.arrow"
    return "t.parquet"


def described(said: Said, name: str) -> dict[str, Any]:
    assert said.status == 0, said
    return next(column for column in said.document["columns"] if column["name"] == name)


COUNTED = pa.array([i % 4 for i in range(N)], pa.int8())


def test_types_that_hold_another_type_are_read_as_that_type(treino: Treino, tmp_path: Path) -> None:
    """Whether a module that knows the extension is imported changes nothing."""
    named = {"ARROW:extension:name": "arrow.bool8", "ARROW:extension:metadata": ""}
    column = described(treino("data", write(tmp_path, COUNTED, **named), "--json"), "c")
    assert (column["kind"], column["unique"]) == ("number", 4)
    unknown = {"ARROW:extension:name": "somebody.else", "ARROW:extension:metadata": "x"}
    assert described(treino("data", write(tmp_path, COUNTED, **unknown), "--json"), "c") == column
    ends = pa.RunEndEncodedArray.from_arrays(pa.array([30, N], pa.int32()), pa.array(["u", "v"]))
    column = described(treino("data", write(tmp_path, ends), "--json"), "c")
    assert (column["kind"], column["unique"]) == ("category", 2)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (pa.array([b"\xff"] * N), "no numbers, words or dates: c (binary)."),
        (pa.array([b"1234"] * N, pa.binary(4)), "no numbers, words or dates: c (fixed_size_binary[4])."),
        (
            pa.array([(1, 2, i) for i in range(N)], pa.month_day_nano_interval()),
            "c (month_day_nano_interval).",
        ),
        (pa.array([[1, 2]] * N), "a cell holds more than one value: c."),
        (pa.array([{"u": 1}] * N), "a cell holds more than one value: c."),
    ],
    ids=str,
)
def test_a_column_is_left_out_for_its_own_reason(
    treino: Treino, tmp_path: Path, cells: pa.Array, reason: str
) -> None:
    said = treino("data", write(tmp_path, cells))
    assert said.status == 0
    assert reason in " ".join(said.out.split())


FAR = {
    "9999-12-31 23:59:59": (253402300799, 1),
    "1970 + 253402300801 s": (253402300801, 1),
    "1970 - 62135596801 s": (-62135596801, 1),
    "1970 + 4611686018427387904 s": (2**62, N - 20),
}


@pytest.mark.parametrize("text", FAR)
def test_dates_beyond_the_calendar_are_named(treino: Treino, tmp_path: Path, text: str) -> None:
    """A training that wrote them into its folder could not be read again."""
    second, rows = FAR[text]
    cells = pa.array([second] * rows + [10**9 + i * 10**7 for i in range(rows, N)], pa.int64())
    with ipc.new_file(tmp_path / "t.arrow", pa.schema({"c": pa.timestamp("s"), "y": pa.string()})) as file:
        columns = [cells.view(pa.timestamp("s")), pa.array(PLAIN["y"])]
        file.write_batch(pa.record_batch(columns, names=["c", "y"]))
    assert treino("data", "t.arrow").status == 0
    said = treino("train", "t.arrow", "--target", "y", "--features", "c", "--steps", 3)
    assert said.status == (0 if text.startswith("9999") else 2), said
    if said.status:
        assert f"Column 'c' holds the date '{text}' in row 0; dates are of the years 1 to 9999." in said.err


@pytest.mark.slow
def test_a_long_level_is_held_once(treino: Treino, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory that the cells written out would exceed; Parquet's are read in smaller batches."""
    levels = pa.array(["long " * 100_000, "short"])
    cells = pa.DictionaryArray.from_arrays(pa.array([i % 2 for i in range(N)], pa.int8()), levels)
    with ipc.new_file(tmp_path / "t.arrow", pa.schema([("c", cells.type), ("a", pa.float64())])) as file:
        file.write_batch(pa.record_batch([cells, pa.array(PLAIN["a"])], names=["c", "a"]))
    assert described(treino("data", "t.arrow", "--json"), "c")["unique"] == 2
    with parquet.ParquetWriter(tmp_path / "t.parquet", pa.schema([("c", pa.string())])) as writer:
        writer.write_table(pa.table({"c": pa.array(["long " * 50_000] * N)}))
    monkeypatch.setattr(columnar, "_BATCH_BYTES", 1 << 20)
    opened = columnar.open_columnar(open_file(tmp_path / "t.parquet"))
    sizes = [batch.nbytes for batch in opened.batches({}, ".")]
    assert sum(sizes) > 14_000_000
    assert max(sizes) < 1_100_000


# ---- JSON lines


def test_nan_among_words_is_no_value(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("\n".join(LINES).replace('"p"', "NaN"))
    column = described(treino("data", "t.jsonl", "--json"), "y")
    assert (column["missing"], column["unique"]) == (40, 1)


@pytest.mark.parametrize("line", ['{"a": 1, "b": 2, "y": "\\ud800"}', '{"a": 1, "\\uDFFF": 2, "y": "p"}'])
def test_half_a_character_is_named(treino: Treino, tmp_path: Path, line: str) -> None:
    (tmp_path / "t.jsonl").write_text("\n".join([*LINES[:9], line, *LINES[9:]]))
    said = treino("data", "t.jsonl")
    assert said.status == 2
    assert "line 10 is no JSON object" in said.err
    assert "is half a character" in said.err
    (tmp_path / "t.jsonl").write_text("\n".join(LINES).replace('"p"', '"\\ud83d\\ude00"'))
    assert described(treino("data", "t.jsonl", "--json"), "y")["unique"] == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_json_lines_of_another_encoding(treino: Treino, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.jsonl").write_bytes("\n".join(LINES).encode(encoding))
    said = treino("data", "t.jsonl", "--json")
    assert [column["name"] for column in said.document["columns"]] == ["a", "b", "y"]


# ---- archives


def zipped(path: Path, *members: tuple[Any, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members:
            archive.writestr(name, text)


@pytest.mark.parametrize("name", ["../../t.csv", "/etc/t.csv", "d/./t.csv"])
def test_a_table_is_read_whatever_its_name_in_a_zip(treino: Treino, tmp_path: Path, name: str) -> None:
    """Nothing is unpacked; files that systems add are no tables, at any depth."""
    zipped(tmp_path / "t.zip", (name, CSV), ("d/.DS_Store", "x"), ("__MACOSX/d/._t.csv", "x"))
    said = treino("data", "t.zip", "--json")
    assert [column["name"] for column in said.document["columns"]] == ["a", "b", "y"]


def test_what_in_a_zip_is_no_table_is_named(treino: Treino, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("t.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    zipped(tmp_path / "t.zip", (link, "/etc/passwd"))
    assert "'t.zip' can't be unpacked: a link in an archive." in treino("data", "t.zip").err
    zipped(tmp_path / "t.zip", ("t.csv", CSV))
    content = bytearray((tmp_path / "t.zip").read_bytes())
    for place in (6, content.rindex(b"PK\1\2") + 8):
        content[place] |= 1
    (tmp_path / "t.zip").write_bytes(content)
    assert "'t.zip' can't be unpacked: it is encrypted with a password." in treino("data", "t.zip").err


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tables_in_a_tar(treino: Treino, tmp_path: Path, mode: Any) -> None:
    with tarfile.open(tmp_path / "t.tar", mode) as archive:
        entry = tarfile.TarInfo("t.csv")
        entry.size = len(CSV)
        archive.addfile(entry, io.BytesIO(CSV.encode()))
    said = treino("data", "t.tar")
    assert said.status == 2
    assert "'t.tar' is an archive without pictures." in said.err
    assert "Unpack it" in said.err
    assert "t.tar/" not in said.err


@pytest.mark.parametrize("ending", ["gz", "bz2", "zst", "lz4"])
def test_a_plain_file_whose_name_says_that_it_is_packed(treino: Treino, tmp_path: Path, ending: str) -> None:
    """As a browser saves what a server has unpacked; and the other way round."""
    (tmp_path / f"t.csv.{ending}").write_text(CSV)
    assert len(treino("data", f"t.csv.{ending}", "--json").document["columns"]) == 3
    (tmp_path / "t.csv").write_bytes(gzip.compress(CSV.encode()))
    assert len(treino("data", "t.csv", "--json").document["columns"]) == 3


# ---- workbooks

SHEET = "xl/worksheets/sheet1.xml"
_ODS = "urn:oasis:names:tc:opendocument:xmlns:"
ODS = (
    f'<office:document-content xmlns:office="{_ODS}office:1.0" xmlns:table="{_ODS}table:1.0"'
    f' xmlns:text="{_ODS}text:1.0"><office:body><office:spreadsheet><table:table table:name="S">'
    "{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
)


def workbook(path: Path, old: str, new: str) -> None:
    """A workbook with the rows, whose first sheet's XML has ``new`` in place of ``old``."""
    book = openpyxl.Workbook()
    for row in [["a", "b", "y"], *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    assert old in members[SHEET]
    members[SHEET] = members[SHEET].replace(old, new, 1)
    zipped(path, *members.items())


def ods(path: Path, *rows: str) -> None:
    kind = ("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    manifest = ("META-INF/manifest.xml", f'<m:manifest xmlns:m="{_ODS}manifest:1.0"/>')
    zipped(path, kind, manifest, ("content.xml", ODS.format(rows="".join(rows))))


def row_of(*cells: object, row: str = "", cell: str = "") -> str:
    texts = (
        f'<table:table-cell{cell} office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
        for c in cells
    )
    return f"<table:table-row{row}>{''.join(texts)}</table:table-row>"


LAST = '<row r="1048576"><c r="{place}"><v>1</v></c></row></sheetData>'
TOO_MANY = "are too many for a sheet"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "</sheetData>",
            LAST.format(place="XFD1048576"),
            f"t.xlsx', Sheet: 1,048,576 rows of 16,384 columns {TOO_MANY}",
        ),
        ('r="A5"', 'r="A4294967295"', "there is no cell A4294967295"),
        ('r="A5"', "r = 'ZZZZZZ5'", "there is no cell ZZZZZZ5"),
        ('<row r="5"', '<row r="99999999999999999999999"', "there is no cell 9999"),
    ],
)
def test_a_far_cell_does_not_end_the_process(
    treino: Treino, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    workbook(tmp_path / "t.xlsx", old, new)
    said = treino("data", "t.xlsx")
    assert said.status == 2
    assert reason in said.err.replace("\u202f", ",")


HEAD = row_of("a", "b", "y")


@pytest.mark.parametrize(
    "rows",
    [
        (HEAD, row_of(1, 2, "p", row=' table:number-rows-repeated="1000000000"')),
        (HEAD, row_of(1, 2, "p", cell=' table:number-columns-repeated="1000000000"')),
        (HEAD, '<table:table-row table:number-rows-repeated="99999999"/>', row_of(1, 2, "p")),
        (HEAD, row_of(1, 2, "p", row=' table:number-rows-repeated="3000000"')),
        (HEAD, row_of(1, 2, 'p<text:s text:c="2000000000"/>')),
    ],
    ids=["rows", "columns", "blank rows", "more rows than a sheet has", "spaces"],
)
def test_a_repeated_cell_does_not_end_the_process(
    treino: Treino, tmp_path: Path, rows: tuple[str, ...]
) -> None:
    ods(tmp_path / "t.ods", *rows)
    said = treino("data", "t.ods")
    assert said.status == 2
    assert TOO_MANY in said.err or "unpacks to more than" in said.err


def test_blank_cells_to_a_sheet_s_last_row_are_none(treino: Treino, tmp_path: Path) -> None:
    """LibreOffice ends sheets so."""
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    end = f'<table:table-row table:number-rows-repeated="1048000">{blank}</table:table-row>'
    rows = [row_of(*row.values()).replace("</table:table-row>", f"{blank}</table:table-row>") for row in ROWS]
    ods(tmp_path / "t.ods", HEAD, *rows, end)
    assert treino("data", "t.ods", "--json").document["rows"] == N
