"""Bad input: each refused by rule, with the value, its place, and the next move; never another exception."""

import math
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import refusal_of
from tests.data.conftest import Write, written
from treino.base.errors import TreinoError
from treino.base.words import interface
from treino.data import describe, load
from treino.data.photographs.labels import _without_zeros
from treino.data.readers import ReaderOptions
from treino.data.readers.file_bytes import open_file
from treino.data.readers.workbook import _check_formulas
from treino.data.table import distinct_names, number

ROWS = "".join(f"{2 * i},{i * 7 % 11}.5,{'ab'[i % 2]}\n" for i in range(20))
GOOD = "p,q,y\n" + ROWS


def refusal(source: object, **options: object) -> TreinoError:
    error = refusal_of(load, source, **options)
    assert error.status == 2
    assert "Traceback" not in str(error)
    return error


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        ("", "csv_empty", "is empty"),
        ("  \n\n ", "csv_empty", "is empty"),
        ("\ufeff", "csv_empty", "is empty"),
        ("p,q,y\n", "csv_no_rows", "no rows"),
        ("y\n1\n2\n3\n", "csv_one_column", "'y'"),
        ("p,y\n1,2\n", "rows_one", "single row"),
        ("p,q,y\n1,2,a\n1,2\n", "csv_ragged", "line 3: it has 2 of 3"),
        ("p,q,y\n1,2,a\n\n1,2,b,9\n", "csv_ragged", "line 4: it has 4 of 3"),
        ('p,q,y\n1,"2",a\n1,2\n', "csv_ragged", "line 3: it has 2 of 3"),
        ('p,q,y\n1,"2,a\n1,2,b\n', "csv_unclosed_quote", "line 2"),
        ('p,q,y\n1,"2"3,a\n1,2,b\n', "csv_quote", "line 2"),
        ("<!DOCTYPE html><html><body>404, not found</body></html>", "csv_html", "<!DOCTYPE"),
        ("\n <html>,\n", "csv_html", "<html>"),
        (b"p,q\0,y\n1,2,a\n", "csv_binary", "byte 3 is NUL"),
        (b"\x1f\x8b\x08\x00aaaa", "file_damaged", "gzip"),
        (b"\x28\xb5\x2f\xfdaaaa", "file_damaged", "zstd"),
        (b"PAR1xxxx", "file_damaged", "parquet"),
        (b"PK\x03\x04xxxx", "file_damaged", "zip"),
        (b"ARROW1\0\0xx", "file_damaged", "arrow"),
        (b"%PDF-1.4 ...", "csv_binary", "PDF"),
        ("p,q,y\n1,2,á\n1,2,".encode() + b"\xe1\n", "csv_encoding", "line 3 has the byte 0xe1"),
        (b"p,q,y\n1,2,a\n1,2,\x81\n", "csv_encoding", "line 3 has the byte 0x81"),
        ("p,q,y\n1,2,слово\n".encode("cp1251"), "csv_encoding", "line 2"),
        ("p,q,y\n1,2,a\n".encode("utf-16") + b"\0", "csv_encoding", "UTF-16"),
        ('[{"p": 1, "y": 2}]', "json_array", "JSON array"),
        ('{"p": 1, "y": 2}\n{"p": 1,\n', "json_line", "line 2"),
        ('{"p": 1, "y": 2}\n\n[1, 2]\n', "json_line", "line 3"),
        ('{"p": 1, "p": 2}\n', "json_line", "twice"),
        ('{"p": [1], "q": {}}\n', "table_columns", "no column"),
        ("1,2,3\n4,5,6\n", "csv_header", "1,2,3"),
        ("place,2019,2020\nRio,1.5,2.5\n", "csv_header", "place,2019,2020"),
        ("red,big\nblue,small\nred,big\n", "csv_header", "red,big"),
        (",q,y\nu,2,a\nu,3,b\n", "column_name_empty", "Column 1"),
        ("p,,y\n1,2,a\n", "column_name_empty", "Column 2"),
        ("p;q,y\n1;2,a\n", "csv_delimiter", "',' or ';'"),
        ("p,y\n" + "x" * 200_000 + ',"a"\n', "csv_cell_too_long", "line 2"),
    ],
)
def test_a_file_that_is_no_table(write: Write, content: str | bytes, rule: str, says: str) -> None:
    path = write(content)
    error = refusal(path, target="y")
    assert error.rule == rule
    assert says in error.message
    if rule != "rows_one":
        with pytest.raises(TreinoError):
            describe(path, "y")


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "frame"])
def test_a_header_among_the_rows_is_named(tmp_path: Path, ending: str) -> None:
    """As in files that were joined: one more line of names, after 12 and after 300 rows."""
    for rows in (12, 300):
        cells = [[str(i), f"{i % 7}.5", f"k{i % 3}"] for i in range(rows)]
        frame = pd.DataFrame([*cells, ["p", "q", "y"], *cells], columns=["p", "q", "y"])
        error = refusal(written(frame, tmp_path, ending, sep=";"), target="y")
        assert error.rule == "header_again"
        assert str(rows + {"csv": 2, "xlsx": 2, "jsonl": 1, "frame": 0}[ending]) in error.message
        assert "p, q, y" in error.message


def test_rows_that_repeat_a_part_of_the_header_are_rows(write: Write) -> None:
    text = "p,q,y\n" + "".join(f"{'pq'[i % 2]},{i}.5,{'ab'[i % 3 % 2]}\n" for i in range(20))
    assert load(write(text), target="y").features == ("p", "q")
    same = "p,y\n" + "".join(f"{'yqr'[i % 3]},{'py'[i % 2]}\n" for i in range(24))
    assert load(write(same, "words.csv"), target="y", reading=ReaderOptions(header=True)).features == ("p",)


def with_cell(cell: str) -> str:
    return GOOD.replace("8,6.5,a\n", f"8,{cell},a\n")


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("high", "feature_text"),
        ("12%", "feature_number"),
        ("0x10", "feature_text"),
        ("inf", "feature_infinite"),
        ("-Infinity", "feature_infinite"),
        ("1e400", "feature_infinite"),
        ("2024-03-01", "feature_date"),
        ("01/03/2024 12:30", "feature_date"),
    ],
)
def test_a_feature_that_is_no_plain_number_is_refused_with_its_place(
    write: Write, cell: str, rule: str
) -> None:
    path = write(with_cell(cell))
    error = refusal(path, target="y")
    assert error.rule == rule
    assert "'q'" in error.message
    assert "line 6" in error.message
    assert cell.strip('" ') in error.message
    assert "features='p'" in error.hint
    assert load(path, target="y", features=["p"]).features == ("p",)
    assert rule in {warning.rule for warning in describe(path, "y").warnings}


@pytest.mark.parametrize(
    ("columns", "rule", "says"),
    [
        ({"q": ["1.5", "2,5"]}, "decimal_mixed", ["'q' holds '1.5' in line 2 and '2,5' in line 3: a dec"]),
        ({"q": ["1.5", "1.234,5"]}, "decimal_mixed", ["'1.234,5' in line 3"]),
        ({"q": ["1.5", "2.5"], "r": ["7", "1,25"]}, "decimal_mixed", ["'q'", "'r'", "'1,25' in line 3"]),
        ({"q": ["1.234", "5.678"]}, "decimal_open", ["'1.234' in line 2", "'q'"]),
        ({"q": ["12", "5,678"]}, "decimal_open", ["'5,678' in line 3"]),
        ({"q": ["01/02/2024", "03/04/2024"]}, "dates_open", ["'01/02/2024' in line 2"]),
        ({"q": ["13/02/2024", "03/14/2024"]}, "dates_mixed", ["'13/02/2024' in line 2", "line 3"]),
    ],
)
def test_a_writing_that_is_open_or_contradicts_itself(
    write: Write, columns: dict[str, list[str]], rule: str, says: list[str]
) -> None:
    rows = zip(*columns.values(), strict=True)
    text = ";".join([*columns, "y"]) + "\n" + "".join(";".join([*row, "a"]) + "\n" for row in rows)
    error = refusal(write(text), target="y")
    assert error.rule == rule
    assert all(word in error.message for word in says)


@pytest.mark.parametrize(
    ("cells", "rule", "says"),
    [
        (["a"] * 12, "target_constant", "always 'a'"),
        (["3"] * 12, "target_constant", "always '3'"),
        ([f"w{i}" for i in range(12)], "classes_all_distinct", "12 different values"),
        ([str(i) for i in range(12)], "classes_all_distinct", "12 different values"),
        (["1.5"] * 6 + ["2.5"] * 5 + ["x"], "target_text", "'x' in line 13"),
        (["1.5"] * 6 + ["2.5"] * 5 + ["1e400"], "target_infinite", "'1e400' in line 13"),
        ([""] * 12, "target_empty", "no value in any row"),
        (["1.5"] * 6 + ["2.5"] * 5 + ["-inf"], "target_infinite", "'-inf' in line 13"),
    ],
)
def test_a_target_that_can_not_be_learnt(write: Write, cells: list[str], rule: str, says: str) -> None:
    path = write("p,y\n" + "".join(f"{i * i},{cell}\n" for i, cell in enumerate(cells)))
    error = refusal(path, target="y")
    assert error.rule == rule
    assert says in error.message
    assert rule in {warning.rule for warning in describe(path, "y").warnings}


def test_a_class_of_one_row_is_learnt_from_and_said(write: Write) -> None:
    cells = ["a"] * 6 + ["b"] * 5 + ["c"]
    path = write("p,y\n" + "".join(f"{i * i},{cell}\n" for i, cell in enumerate(cells)))
    data = load(path, target="y")
    assert 11 in data.train.index
    assert data.classes == ("a", "b", "c")
    assert any("'c' has one row, in line 13" in note for note in data.notes)
    assert "class_single_row" in {warning.rule for warning in describe(path, "y").warnings}


def test_without_a_target_the_likely_ones_are_named(write: Write) -> None:
    error = refusal(write(GOOD))
    assert error.rule == "target_missing"
    assert "target='y'" in error.hint
    rows = "".join(f"{i * i},0.{i},2024-01-{i % 28 + 1:02}\n" for i in range(40))
    assert refusal(write("p,the q,when\n" + rows, "dated.csv")).hint == "Name it: target='the q'."
    with interface("flag"):
        assert refusal(write("p,the q,when\n" + rows, "dated.csv")).hint == "Name it: --target 'the q'."


@pytest.mark.parametrize(
    ("options", "rule", "says"),
    [
        ({"target": "Y1"}, "target_unknown", "'y'"),
        ({"target": "y", "features": ["p", "qq"]}, "features_unknown", "'q'"),
        ({"target": "y", "features": ["p", "y"]}, "features_target", "'y' is the target"),
        ({"target": "y", "features": ["p", "p"]}, "features_duplicate", "'p'"),
        ({"target": "y", "features": []}, "features_none", "no column"),
        ({"target": "y", "task": "regresion"}, "task_choice", "'regression'"),
        ({"target": "y", "task": "regression"}, "task_regression_text", "'a' in line 2"),
        ({"target": "y", "validation": 1.0}, "validation_range", "1.0"),
        ({"target": "y", "validation": -0.1}, "validation_range", "-0.1"),
        ({"target": "y", "test": float("nan")}, "test_range", "nan"),
        ({"target": "y", "test": True}, "test_type", "True"),
        ({"target": "y", "test": 0.5, "validation": 0.5}, "shares_sum", "0.5"),
        ({"target": "y", "data_seed": -1}, "data_seed_range", "-1"),
        ({"target": "y", "data_seed": 1.5}, "data_seed_type", "1.5"),
    ],
)
def test_options_that_do_not_fit(write: Write, options: dict[str, object], rule: str, says: str) -> None:
    error = refusal(write(GOOD), **options)
    assert error.rule == rule
    assert says in str(error)


def test_too_few_rows_for_the_shares(write: Write) -> None:
    text = "p,y\n1,0.5\n2,1.5\n"
    error = refusal(write(text), target="y")
    assert error.rule == "rows_too_few"
    assert "validation=0 test=0" in error.hint
    assert len(load(write(text), target="y", validation=0, test=0).train) == 2
    assert refusal(write("p,y\n1,0.5\n1,1.5\n1,2.5\n"), target="y").rule == "features_none"


def test_a_path_that_does_not_exist_names_the_nearest(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(GOOD, "rentals.csv")
    monkeypatch.chdir(path.parent)
    assert "'rentals.csv'" in refusal("rental.csv", target="y").hint
    assert str(path) in refusal(path.with_name("rentels.csv"), target="y").hint
    assert "'wine'" in refusal("wime").hint
    assert "moons" in refusal("nothing_like_it").hint
    assert refusal("no/such/folder/file.csv", target="y").rule == "data_unknown"
    assert refusal("").rule == refusal("a\0b").rule == refusal("x" * 5000).rule == "data_unknown"


def test_a_builtin_beside_a_file_of_its_name_asks_which(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(GOOD, "wine").parent)
    error = refusal("wine", target="y")
    assert error.rule == "data_ambiguous"
    assert "./wine" in error.hint
    assert load("./wine", target="y").features == ("p", "q")
    (Path.cwd() / "iris").mkdir()  # a folder is no table, so nothing is ambiguous
    assert load("iris").name == "iris"


def test_a_folder_a_pipe_and_a_loop_of_links(tmp_path: Path) -> None:
    assert refusal(tmp_path, target="y").rule == "pictures_none"
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv/*.csv" in refusal(tmp_path / "folder.csv", target="y").hint
    os.mkfifo(tmp_path / "pipe.csv")
    for endless in (tmp_path / "pipe.csv", Path("/dev/zero")):
        assert refusal(endless, target="y").rule == "file_special"
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert refusal_of(load, tmp_path / "a", target="y").rule == "file_unreadable"


@pytest.mark.parametrize(
    "reason", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_a_file_that_can_not_be_read_is_the_machines_fault(
    write: Write, monkeypatch: pytest.MonkeyPatch, reason: OSError
) -> None:
    path = write(GOOD)

    given = Path.open

    def refuse(self: Path, *options: Any, **named: Any) -> object:
        if self == path:
            raise reason
        return given(self, *options, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(TreinoError, match=str(reason.strerror)) as error:
        load(path, target="y")
    assert error.value.rule == "file_unreadable"
    assert error.value.status == 1


@pytest.mark.parametrize("source", [3, None, [1, 2], {"a": 1}, (1, 2, 3, 4)])
def test_what_is_no_source_at_all(source: object) -> None:
    assert refusal(source, target="y").rule == "data_type"


@pytest.mark.slow
def test_text_that_no_pattern_fits_takes_no_longer_than_to_read_it(write: Write) -> None:
    """A million characters each: with time that grows as the square, each would take hours."""
    many = 1_000_000
    assert number("1" * many + "x") is None
    assert number("1" * many) == math.inf
    notes: list[str] = []
    assert distinct_names(["a"] * 200_000, notes)[-1] == "a.199999"
    assert _without_zeros("0" * many + "x") == "0" * many + "x"
    assert _without_zeros("0" * many + "7.00") == "7"
    cells = b'<f/><v<c r="A1">' * (many // 16)
    assert "A1" in str(refusal_of(_check_formulas, open_file(write(GOOD)), "Sheet", cells))
    assert load(write("\n" * 200_000 + GOOD), target="y").features == ("p", "q")


def test_a_saved_index_of_very_long_numbers_is_no_other_error(write: Write) -> None:
    long = "1" * 5000
    path = write(f",q,y\n{long},1,a\n{long},2,b\n")
    assert refusal(path, target="y").rule == "column_name_empty"
