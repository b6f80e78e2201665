"""Kinds of columns: detected, left out with a note, set by the user."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.base.errors import TreinoError
from treino.data import load
from treino.data.preparation.column_kinds import kind
from treino.data.preparation.fit_columns import class_program
from treino.data.table import Column

N = 80
RNG = np.random.default_rng(2)


def words(name: str, cells: list[str]) -> Column:
    return Column(name, None, np.array(cells, dtype=object))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (words("cpf", [f"{i:03d}.456.789-0{i % 9}" for i in range(N)]), "identifier"),
        (words("cep", ["01310-100", "20040-002"] * 40), "category"),
        (words("cep", [f"{i:05d}-100" for i in range(N)]), "identifier"),
        (words("store", [f"{i % 50:04d}" for i in range(N)]), "category"),
        (words("store", [f"{i % 78:04d}" for i in range(N)]), "identifier"),
        (words("month", [f"{i % 12 + 1:02d}" for i in range(N)]), "category"),
        (Column("id", np.arange(7.0, 7 + N)), "identifier"),
        (Column("customer_id", np.arange(N) // 2 * 7.0), "number"),
        (Column("visit_id", np.arange(N) % 77 * 7.0), "identifier"),
        (Column("user_id", np.array([2.0**60 + 512 * (i % 40) for i in range(N)])), "number"),
        (Column("shop_id", np.arange(N) % 5 * 1.0), "number"),
        (Column("rainfall_index", RNG.normal(size=N)), "number"),
        (Column("n", np.arange(1.0, 1 + N)), "number"),
        (Column("p", RNG.normal(size=N)), "number"),
        (words("color", ["red", "blue"] * 40), "category"),
        (words("note", [f"some free words, number {i}" for i in range(N)]), "text"),
        (Column("when", seconds=np.arange(N) * 3600.0), "date"),
        (Column("none", np.full(N, np.nan)), "constant"),
    ],
)
def test_kinds(column: Column, expected: str) -> None:
    assert kind(column) == expected


def table(**more: object) -> pd.DataFrame:
    p = RNG.normal(size=N)
    return pd.DataFrame({"p": p, **more, "y": np.where(p > 0, "a", "b")})


def test_identifiers_and_free_text_are_left_out_and_can_be_asked_for(write: Write) -> None:
    frame = table(
        cep=[f"{i:05d}-{i % 7:03d}" for i in range(N)], code=[f"{i:05d}" for i in range(N)],
        note=[f"words that nobody repeats {i}" for i in range(N)],
    )  # fmt: skip
    path = write(frame.to_csv(index=False))
    data = load(path, target="y")
    assert data.features == ("p",)
    assert any("(identifiers): cep, code" in note and "kinds='cep=category'" in note for note in data.notes)
    assert any("(names, titles): note" in note and "kinds='note=text'" in note for note in data.notes)
    asked = load(path, target="y", kinds={"cep": "category"})
    assert asked.features == ("p", "cep")
    assert asked.preparation.programs[1].way == "hashed"
    assert any("Because you asked: cep=category" in note for note in asked.notes)
    assert load(path, target="y", features=["p", "cep"]).features == ("p", "cep")
    assert load(path, target="y", kinds={"p": "out", "cep": "category"}).features == ("cep",)
    assert load(path, target="y", kinds={"code": "number"}).preparation.programs[1].way == "number"


def test_numbers_as_classes_are_the_same_in_files_and_frames(write: Write) -> None:
    frame = table(month=np.arange(N) % 12 + 1)
    data = load(frame, target="y", kinds={"month": "category"})
    assert data.preparation.programs[1] == class_program("month", tuple(map(str, range(1, 13))), numeric=True)
    for again in (write(frame.to_csv(index=False)), frame.assign(month=frame["month"].astype(float))):
        assert load(again, target="y", kinds={"month": "category"}).preparation == data.preparation


def test_rows_without_a_target_are_left_out_and_counted(write: Write) -> None:
    frame = table()
    frame.loc[[3, 50], "y"] = None
    for source in (frame, write(frame.to_csv(index=False))):
        data = load(source, target="y", validation=0, test=0)
        assert data.train.index.tolist() == [i for i in range(N) if i not in (3, 50)]
        assert any("target has no value: 2, the first in" in note for note in data.notes)
    numbers = frame.assign(y=np.where(frame["y"].isna(), np.nan, frame["p"] * 2))
    data = load(write(numbers.to_csv(index=False, na_rep="NA")), target="y")
    assert data.task == "regression"
    assert sum(map(len, data.splits.values())) == N - 2


def test_kinds_of_the_target_decide_the_task() -> None:
    frame = table().assign(y=np.arange(N) % 30)
    assert load(frame, target="y").task == "regression"
    assert load(frame, target="y", kinds={"y": "category"}).task == "classification"
    sizes = table().assign(y=np.resize(["s", "m", "l"], N))
    assert load(sizes, target="y", kinds={"y": "s<m<l"}).classes == ("s", "m", "l")
    assert "'l' too" in str(refusal_of(load, sizes, target="y", kinds={"y": "s<m"}))


def test_dates_are_no_target(write: Write) -> None:
    frame = table().assign(y=pd.date_range("2024-01-01", periods=N))
    for source in (frame, write(frame.to_csv(index=False))):
        with pytest.raises(TreinoError, match=r"holds dates or times, e\.g\. '2024-01-01") as error:
            load(source, target="y")
        assert error.value.rule == "target_date"


def test_a_target_of_words_for_missing_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,y\n" + "".join(f"{i * 7 % 11},{('NA', 'none')[i % 2]}\n" for i in range(40)))
    assert "has no value in any row" in str(refusal_of(load, table, target="y"))
    data = load(table, target="y", kinds={"y": "category"})
    assert data.classes == ("NA", "none")
    assert sum(len(rows) for rows in data.splits.values()) == 40


@settings(max_examples=30, deadline=None)
@given(
    times=st.integers(2, 40),
    many=st.integers(2, 70),
    form=st.sampled_from(["{}", "{:06d}", "S{}", "1{:017d}"]),
    name=st.sampled_from(["shop_id", "id", "user id", "cpf", "key", "row_id"]),
)
def test_the_name_of_values_that_return_decides_nothing(times: int, many: int, form: str, name: str) -> None:
    """However many there are, and however they are written: an identifier is a value that doesn't return."""
    shop_N = np.random.default_rng(many).permutation(np.repeat(np.arange(many) * 7 + 3, times))
    assume(len(shop_N) >= 20)
    cells = [form.format(shop) for shop in shop_N]
    frame = pd.DataFrame({name: cells, "size": shop_N * 0.5 + np.arange(len(cells)) % 3, "y": shop_N * 1.5})
    frame.loc[::3, "y"] += 0.25
    named, other = (
        load(table, target="y").preparation.programs
        for table in (frame, frame.rename(columns={name: "shop"}))
    )
    assert [e.column for e in named] == [name, "size"]
    for one, same in zip(named, other, strict=True):  # a hash depends on the column's name
        assert (one.way, one.words, one.width, one.edges) == (same.way, same.words, same.width, same.edges)
