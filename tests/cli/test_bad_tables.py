"""Tables that can't be learnt from: exit 2, one message with a hint, nothing written."""

import gzip
import io
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
