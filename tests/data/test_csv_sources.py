"""Tables in all the files that they come in: packed, by columns, as JSON lines, and several at once."""

import csv
import gzip
import json
import threading
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.readers import ReaderOptions, delimited, file_bytes, read_file
from treino.data.readers.file_bytes import InputFile
from treino.data.rows import MemoryLimit
from treino.data.sources import read
from treino.data.table import Table

ROWS = 50
FRAME = pd.DataFrame(
    {
        "n": np.arange(ROWS) * 3,
        "x": np.where(np.arange(ROWS) % 7 == 0, np.nan, np.arange(ROWS) / 4),
        "word": np.array(["red", "grün", "blue, dark"])[np.arange(ROWS) % 3],
        "day": pd.date_range("2024-02-27 06:30", periods=ROWS, freq="h"),
        "is": np.arange(ROWS) % 2 == 0,
    }
)
CSV = FRAME.to_csv(index=False).encode()
SECONDS = (FRAME["day"] - pd.Timestamp(0)).dt.total_seconds().to_numpy()


def refusal(source: Any, rule: str, reading: ReaderOptions | None = None) -> TreinoError:
    error = refusal_of(read, source, reading)
    assert error.rule == rule, error
    return error


def check(table: Table) -> None:
    """It is FRAME, by pandas' own reckoning."""
    assert table.names == tuple(FRAME.columns)
    assert table.rows == ROWS
    np.testing.assert_array_equal(table.column("n").numbers, FRAME["n"])
    np.testing.assert_array_equal(table.column("x").numbers, FRAME["x"])
    np.testing.assert_array_equal(table.column("x").missing_N, FRAME["x"].isna())
    assert table.column("word").words.tolist() == FRAME["word"].tolist()
    np.testing.assert_array_equal(table.column("day").seconds, SECONDS)
    assert table.column("is").boolean
    np.testing.assert_array_equal(table.column("is").numbers, FRAME["is"])


def arrow() -> pa.Table:
    return pa.Table.from_pandas(FRAME, preserve_index=False)


def as_feather(path: Path) -> None:
    pyarrow.feather.write_feather(arrow(), str(path), chunksize=20)


def as_stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, arrow().schema) as writer:
        writer.write_table(arrow(), max_chunksize=20)


def as_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/t.csv", CSV)
        archive.writestr("__MACOSX/inner/._t.csv", b"\0")


FILES = {
    "t.csv": lambda path: path.write_bytes(CSV),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV)),
    "t.csv.zst": lambda path: path.write_bytes(pa.compress(CSV, "zstd", asbytes=True)),
    "t.zip": as_zip,
    "t.tsv": lambda path: FRAME.to_csv(path, index=False, sep="\t"),
    "t.parquet": lambda path: FRAME.to_parquet(path, row_group_size=20),
    "t.feather": as_feather,
    "t.arrows": as_stream,
    "t.jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True, date_format="iso"),
    "t.jsonl.gz": lambda path: FRAME.to_json(
        path, orient="records", lines=True, date_format="iso", compression="gzip"
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_table_from_every_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    FILES[name](path)
    table = read(str(path))
    check(table)
    assert table.name == "t"
    stored = read_file(path, room=MemoryLimit(0, lambda: tmp_path))
    np.testing.assert_array_equal(stored.column("x").numbers, table.column("x").numbers)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.zst", "t.zip", "t.parquet", "t.feather", "t.arrows"])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    FILES[name](path)
    whole = path.read_bytes()
    for part in (0.3, 0.6, 0.97):
        path.write_bytes(whole[: int(part * len(whole))])
        assert str(path) in refusal(path, "file_damaged").message


def test_frames_with_an_arrow_interface() -> None:
    class Frame:
        """As polars hands its frames over: nothing but the stream."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            words = arrow().set_column(2, "word", arrow()["word"].cast(pa.string_view()))
            return words.__arrow_c_stream__(requested_schema)

    levels = pa.array(["low", "high"]).cast(pa.string_view())
    ranks = pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.uint8()), levels, ordered=True)
    rank = read(pa.table({"rank": ranks, "n": [1, 2, 3]})).column("rank")
    assert (rank.categories, rank.ordered) == (("low", "high"), True)
    assert rank.words.tolist() == ["high", "low", ""]
    check(read(arrow()))
    check(read(Frame()))
    check(read(FRAME))
    assert load(Frame(), target="is").classes == ("false", "true")


@pytest.mark.slow
def test_a_bomb_is_refused_by_what_it_declares_and_by_what_comes_out(tmp_path: Path) -> None:
    zeros = b"0,0\n" * (20 << 20)
    (tmp_path / "z.csv.gz").write_bytes(gzip.compress(zeros, 9))
    (tmp_path / "z.csv.zst").write_bytes(pa.compress(zeros, "zstd", asbytes=True))
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z.csv", zeros)
    for name in ("z.csv.gz", "z.csv.zst", "z.zip"):
        assert "times its size" in refusal(tmp_path / name, "file_bomb").message
    liar = (tmp_path / "z.zip").read_bytes().replace(len(zeros).to_bytes(4, "little"), b"\x10\0\0\0")
    (tmp_path / "liar.zip").write_bytes(liar)
    assert refusal_of(read, tmp_path / "liar.zip").rule in ("file_bomb", "file_damaged")


def test_a_zip_holds_one_table(tmp_path: Path) -> None:
    for names in ((), ("a.csv", "b.csv")):
        path = tmp_path / f"{len(names)}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/", b"")
            for name in names:
                archive.writestr(name, CSV)
        refusal(path, "zip_members")
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<w/>")
    assert "workbook" in refusal(tmp_path / "book.xlsx", "file_damaged").message
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("t.csv.gz", gzip.compress(CSV))
    refusal(tmp_path / "twice.zip", "csv_binary")


def test_several_files_by_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    FRAME[:20].to_csv(tmp_path / "data/a.csv", index=False)
    FRAME[20:][["is", "x", "day", "word", "n"]].to_csv(tmp_path / "data/b.csv", index=False, sep=";")
    pattern = str(tmp_path / "data/*.csv")
    table = read(pattern)
    check(table)
    assert table.files == (str(tmp_path / "data/a.csv"), str(tmp_path / "data/b.csv"))
    assert table.name == "data"
    assert "a.csv" in table.place(19)
    assert "line 21" in table.place(19)
    assert "b.csv" in table.place(20)
    assert "line 2" in table.place(20)
    assert table.sha256 != read(str(tmp_path / "data/a.csv")).sha256
    FRAME.drop(columns="word").assign(extra=1).to_csv(tmp_path / "data/c.csv", index=False)
    error = refusal(pattern, "files_columns")
    assert "lacks word" in error.message
    assert "has extra" in error.message
    assert "c.csv" in error.message
    assert refusal(str(tmp_path / "data/*.tsv"), "data_unknown").hint


def test_several_files_agree_on_one_writing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("q;y\n1.234;u\n")
    (tmp_path / "b.csv").write_text("q;y\n2.345,5;v\n")
    table = read(str(tmp_path / "?.csv"))
    assert table.column("q").numbers.tolist() == [1234.0, 2345.5]
    (tmp_path / "0.csv").write_text("q;y\n3.456;v\n")
    (tmp_path / "b.csv").write_text("q;y\n0.5;v\n")
    assert read(str(tmp_path / "?.csv")).column("q").numbers.tolist() == [3.456, 1.234, 0.5]
    (tmp_path / "c.csv").write_text("q;y\n7,5;v\n")
    assert "c.csv" in refusal(str(tmp_path / "?.csv"), "decimal_mixed").message


def test_several_files_with_types(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"a": [1, 2], "y": ["u", "v"]}), tmp_path / "a.parquet")
    pa.parquet.write_table(pa.table({"y": ["w"], "a": [2.5]}), tmp_path / "b.parquet")
    table = read(str(tmp_path / "*.parquet"))
    assert table.column("a").numbers.tolist() == [1, 2, 2.5]
    pa.parquet.write_table(pa.table({"y": ["w"], "a": ["x"]}), tmp_path / "c.parquet")
    assert "c.parquet" in refusal(str(tmp_path / "*.parquet"), "files_types").message
    (tmp_path / "d.csv").write_text("a,y\n1,u\n")
    assert "another format" in refusal(str(tmp_path / "[ad].*"), "files_columns").message


def test_json_lines_of_all_kinds(write: Write) -> None:
    lines = [
        {"a": 1, "b": True, "c": "x", "d": None, "e": 7, "f": [1], "g": "1,5"},
        {"a": 2.5, "b": None, "c": "None", "e": "seven", "f": [2], "g": "2,25", "h": 10**400},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    table = read(write(text, "t.jsonl"))
    assert table.names == ("a", "b", "c", "d", "e", "g", "h")
    assert any("left out" in note and "f" in note for note in table.notes)
    assert table.column("a").numbers.tolist() == [1.0, 2.5]
    assert table.column("b").missing_N.tolist() == [False, True]
    assert table.column("c").words.tolist() == ["x", "None"]
    assert table.column("d").missing_N.all()
    assert table.column("e").words.tolist() == ["7", "seven"]
    assert table.column("g").numbers.tolist() == [1.5, 2.25]
    assert table.column("h").missing_N.tolist() == [True, False]
    assert table.place(1) == "line 2"


def test_types_of_columnar_files(tmp_path: Path) -> None:
    columns = {
        "whole": pa.array([1, None, 3], pa.int16()),
        "exact": pa.array([Decimal("1"), Decimal("2"), Decimal("3.25")]),
        "day": pa.array([0, 1, None], pa.date32()),
        "moment": pa.array([0, 1500, None], pa.timestamp("ms", "America/Sao_Paulo")),
        "span": pa.array([60, 90, None], pa.duration("s")),
        "rank": pa.DictionaryArray.from_arrays([1, 0, None], ["low", "high"], ordered=True),
        "text": pa.array(["NA", " b ", None]),
        "list": pa.array([[1], [2], [3]]),
        "none": pa.nulls(3),
    }
    pa.parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert "list" in " ".join(table.notes)
    np.testing.assert_array_equal(table.column("whole").numbers, [1, np.nan, 3])
    np.testing.assert_array_equal(table.column("exact").numbers, [1, 2, 3.25])
    np.testing.assert_array_equal(table.column("day").seconds, [0, 86400, np.nan])
    np.testing.assert_array_equal(table.column("moment").seconds, [0, 1.5, np.nan])
    np.testing.assert_array_equal(table.column("span").numbers, [60, 90, np.nan])
    rank = table.column("rank")
    assert (rank.categories, rank.ordered) == (("low", "high"), True)
    assert rank.words.tolist() == ["high", "low", ""]
    assert table.column("text").words.tolist() == ["NA", "b", ""]
    assert table.column("none").missing_N.all()
    assert table.place(2) == "row 2"


@pytest.mark.slow
def test_a_table_in_a_file_holds_what_one_in_memory_holds(tmp_path: Path) -> None:
    """A file of many blocks, whose last rows alone settle what the first ones are."""
    rows = 90_000
    lines = [f"{i};{i % 900 + 1}.{i % 7}50;{i % 28 + 1:02d}/01/2024;{i:06d};w{i % 3}" for i in range(rows)]
    text = "n;a;d;code;w\n" + "\n".join([*lines, f"{rows};1.001,5;31/01/2024;000001;w"]) + "\n"
    path = tmp_path / "t.csv"
    path.write_text(text)
    stored, table = read_file(path, room=MemoryLimit(0, lambda: tmp_path)), read_file(path)
    assert stored.rows == table.rows == rows + 1
    assert table.column("a").numbers[0] == 1050.0
    assert table.column("code").words[7] == "000007"
    for column in table.columns:
        for what in ("numbers", "seconds", "words"):
            cells = getattr(stored.column(column.name), what)
            np.testing.assert_array_equal(cells, getattr(column, what))
    with path.open(newline="") as stream:
        last = list(csv.reader(stream, delimiter=";"))[-2]
    assert table.column("n").numbers[-2] == float(last[0])


@pytest.mark.parametrize("room", [None, 0])
@pytest.mark.parametrize(
    "name", ["plain.csv", "wide.csv", "blanks.csv", "late.csv", "packed.csv.gz", "quoted.csv"]
)
def test_no_thread_of_a_library_runs_python(
    name: str, room: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that does so while the process ends aborts it. Blocks of any size give the same table."""
    rows = [f'{i},"a ""{i}"" of\n{i % 7}",{i / 8}' for i in range(4000)]
    text = "\n".join(["n,words,x", *rows, ""])
    if name == "blanks.csv":  # by records, as Arrow can't
        text = text.replace('",', '" ,')
    if name == "late.csv":
        text += '4000,"Silva, "H",1\n'
    path = tmp_path / name
    content = text.encode("utf-16" if name == "wide.csv" else "utf-8")
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    at_work, chunks = set[str](), InputFile.chunks

    def watched(file: InputFile) -> Iterator[bytes]:
        for chunk in chunks(file):
            at_work.add(threading.current_thread().name)
            yield chunk

    monkeypatch.setattr(InputFile, "chunks", watched)
    monkeypatch.setattr(delimited, "_READ", 1 << 14)
    monkeypatch.setattr(file_bytes, "CHUNK", 1 << 12)
    limit = None if room is None else MemoryLimit(room, lambda: tmp_path)
    if name == "late.csv":
        refused = refusal_of(read_file, path, room=limit)
        assert refused.rule == "csv_quote"
        assert "line 8002" in refused.message
    else:
        table = read_file(path, room=limit)
        assert table.column("n").numbers.tolist() == list(range(4000))
        assert table.column("x").numbers.tolist() == [i / 8 for i in range(4000)]
        assert table.column("words").words[-1] == 'a "3999" of\n2'
    assert at_work == {threading.main_thread().name}
