"""Tables that can't be learnt from: exit 2, one message, the next move, nothing written."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Said

ROWS = "".join(f"{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(40))
TABLES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "header only": (b"p,q,y\n", "row"),
    "one row": (b"p,q,y\n1,2,a\n", "row"),
    "one column": (b"y\n1\n2\n3\n", "column"),
    "constant target": (b"p,q,y\n" + b"1,2,a\n3,4,a\n5,6,a\n7,8,a\n", "y"),
    "text in a feature": (("p,q,y\n" + ROWS + "seven,2,a\n").encode(), "seven"),
    "no target at all": (b"p,q,y\n" + b"1,2,\n3,4,\n5,6,\n7,8,\n", "y"),
    "infinity": (("p,q,y\n" + ROWS + "inf,2,a\n").encode(), "inf"),
    "ragged": (("p,q,y\n" + ROWS + "1,2,a,9\n").encode(), "42"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "binary": (bytes(range(256)) * 9, ""),
    "more classes than rows": (
        b"p,q,y\n" + b"".join(b"%d,%d,k%d\n" % (i, -i, i) for i in range(40)),
        "",
    ),
    "unclosed quote": (("p,q,y\n" + ROWS + '1,"2,a\n').encode(), ""),
    "equal column names": (("p,p,y\n" + ROWS).encode(), "p"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_can_not_be_learnt_from(treino: Callable[..., Said], tmp_path: Path, case: str) -> None:
    content, word = TABLES[case]
    (tmp_path / "t.csv").write_bytes(content)
    said = treino("train", "t.csv", "--target", "y", "--json")
    assert said.status == 2, said
    error = said.document["error"]
    assert word in error["message"]
    assert error["hint"]
    assert "Traceback" not in said.err
    assert not (tmp_path / "runs").exists()


def test_a_table_without_a_target_names_the_likely_columns(
    treino: Callable[..., Said], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("p,q,y\n" + ROWS)
    error = treino("train", "t.csv", "--json").document["error"]
    assert "y" in error["hint"]
    assert (
        treino("train", "t.csv", "--target", "yy", "--json").document["error"]["hint"] == "Did you mean 'y'?"
    )
    assert treino("train", "u.csv", "--json").document["error"]["hint"] == "Did you mean 't.csv'?"
    assert treino("train", ".", "--json").status == 2


@pytest.mark.slow
def test_a_class_that_is_a_formula_is_written_as_text(treino: Callable[..., Said], tmp_path: Path) -> None:
    names = ("=1+1", "@SUM(A1)", "+x", "-2", "fine")
    rows = "".join(f"{i % 5},{i * 7 % 11},{names[i % 5]}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("p,q,y\n" + rows)
    assert treino("train", "t.csv", "--target", "y", "--steps", 300).status == 0
    assert treino("predict", "last", "t.csv", "--to", "out.csv").status == 0
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = {row["prediction"] for row in csv.DictReader(stream)}
    assert "'=1+1" in written
    assert "'@SUM(A1)" in written
    assert not any(cell.startswith(("=", "@", "+")) for cell in written)
    assert written <= {"'=1+1", "'@SUM(A1)", "'+x", "-2", "fine"}


def test_a_writing_that_is_open_is_settled_by_a_flag(treino: Callable[..., Said], tmp_path: Path) -> None:
    rows = "".join(f"{i % 9 + 1}.{i % 7}50;{i % 3};{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("p;q;y\n" + rows)
    error = treino("train", "t.csv", "--target", "y", "--json").document["error"]
    assert error["rule"] == "decimal_open"
    assert "--decimal point" in error["hint"]
    said = treino("train", "t.csv", "--target", "y", "--decimal", "point", "--steps", 2, "--json")
    assert said.status == 0, said
