"""Tables that can't be learnt from: exit 2, one message with a hint, nothing written."""

import gzip
import io
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.conftest import Treino

ROWS = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(40))
GOOD = ("p,q,y\n" + ROWS).encode()


def parquet_of(content: dict[str, list[Any]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(content), file)
    return file.getvalue()


# what else there is, the tests of data have: here one of each kind of answer
TABLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "text in a feature": (("p,q,y\n" + ROWS + "seven,2,a\n").encode(), "seven"),
    "no target at all": (b"p,q,y\n" + b"1,2,\n3,4,\n5,6,\n7,8,\n", "y"),
    "more classes than rows": (b"p,q,y\n" + b"".join(b"%d,%d,k%d\n" % (i, -i, i) for i in range(40)), ""),
    "binary": (bytes(range(256)) * 9, ""),
    "truncated gzip": (gzip.compress(GOOD)[:-20], "cut short"),
    "truncated zstd": (pa.compress(GOOD, codec="zstd", asbytes=True)[:-20], "cut short"),
    "truncated Parquet": (parquet_of({"p": [1.0] * 40, "y": ["a", "b"] * 20})[:-20], "cut short"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_can_not_be_learnt_from(treino: Treino, tmp_path: Path, case: str) -> None:
    content, word = TABLES[case]
    (tmp_path / "t.csv").write_bytes(content)
    said = treino("train", "t.csv", "--target", "y", "--json")
    assert said.status == 2, said
    error = said.document["error"]
    assert word in error["message"]
    assert error["hint"]
    assert "Traceback" not in said.err
    assert not (tmp_path / "runs").exists()


def test_what_is_no_file_of_rows(treino: Treino, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_bytes(GOOD)
    (tmp_path / "a.csv").symlink_to("b.csv")
    (tmp_path / "b.csv").symlink_to("a.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder").mkdir()
    cases = {
        "folder": "folder/*.csv",
        "good.csv/t.csv": "",
        "a.csv": "",
        "pipe.csv": "",
        "god.csv": "Did you mean 'good.csv'?",
        "*.txt": "",
    }
    for path, hint in cases.items():
        said = treino("train", path, "--target", "y", "--json")
        assert said.status == (1 if path == "a.csv" else 2), path  # links in a circle: the system refuses
        assert hint in said.document["error"]["hint"]
        assert path in said.document["error"]["message"]


@pytest.mark.release
def test_ten_thousand_columns_and_a_cell_of_ten_megabytes(treino: Treino, tmp_path: Path) -> None:
    wide = "".join(
        ",".join(str((i * j) % 97 / 4) for j in range(9_999)) + f",{'ab'[i % 2]}\n" for i in range(30)
    )
    (tmp_path / "t.csv").write_text(",".join(f"c{j}" for j in range(9_999)) + ",y\n" + wide)
    assert treino("train", "t.csv", "--target", "y", "--steps", 2, "--hidden", "none").status == 0
    error = treino("train", "t.csv", "--target", "z", "--json").document["error"]
    assert len(error["hint"]) < 500
    (tmp_path / "t.csv").write_bytes(GOOD + b"1," + b"x" * 10_000_000 + b",a\n")
    said = treino("train", "t.csv", "--target", "y", "--json")
    assert said.status == 2
    assert "line 42" in said.document["error"]["message"]


@pytest.mark.slow
def test_other_files_of_rows_with_other_columns(treino: Treino, tmp_path: Path) -> None:
    """As test rows and as rows to predict: missing and renamed columns are refused by name."""
    (tmp_path / "t.csv").write_bytes(GOOD)
    run = ("train", "t.csv", "--target", "y", "--steps", 2, "--json")
    assert treino(*run, "--name", "r").status == 0
    refused = {
        "p,y\n1,a\n": ("lacks 1 of", "For 'q'"),
        "P,q,y\n1,2,a\n": ("p.", "Did you mean 'P'?"),
        "p,q,y\n1,2,c\n": ("'c' is no class of 'y'", "Known: a, b."),
    }
    for text, (message, hint) in refused.items():
        (tmp_path / "new.csv").write_text(text)
        for command in (("predict", "r", "new.csv", "--json"), (*run, "--test", "new.csv")):
            said = treino(*command)
            assert said.status == 2
            assert message in said.document["error"]["message"]
            assert hint in said.document["error"]["hint"]
    (tmp_path / "new.csv").write_text("extra,y,q,p\nx,a,30,10\nx,b,40,20\n")
    found = treino("predict", "r", "new.csv", "--json").document
    assert found["notes"] == ["Not used: extra."]
    (tmp_path / "same.csv").write_text("p,q,y\n10,30,a\n20,40,b\n")
    assert treino("predict", "r", "same.csv", "--json").document["predictions"] == found["predictions"]
    assert treino(*run, "--test", "new.csv").document["rows"]["test"] == 2
