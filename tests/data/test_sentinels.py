"""Values that may stand for no value: found where people wrote them, and nowhere else."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.conftest import written
from treino.data import BUILTINS, describe, load
from treino.data.preparation.sentinels import sentinels
from treino.data.readers import ReaderOptions
from treino.data.sources import read
from treino.data.table import Column

RNG = np.random.default_rng(11)
N = 400


def told(values: Any, name: str = "v") -> set[str]:
    return {each.text for each in sentinels(Column(name, np.asarray(values, dtype=float)))}


def with_some(values: Any, sentinel: float, rows: int) -> Any:
    values = np.array(values, dtype=float)
    values[RNG.permutation(len(values))[:rows]] = sentinel
    return values


@pytest.mark.parametrize(
    ("values", "sentinel", "rows", "name"),
    [
        (RNG.uniform(-5, 35, N).round(1), -999, 31, "temperature"),
        (RNG.uniform(-5, 35, N).round(1), -999, 300, "temperature"),
        (RNG.normal(20, 5, 50).round(1), 999.9, 2, "v"),
        (RNG.normal(7, 1, N).round(2), 99.99, 3, "v"),
        (RNG.lognormal(4, 1, N).round(), 9999, 5, "v"),
        (RNG.integers(1, 6, N), 99, 8, "v"),
        (RNG.normal(size=N), 1e20, 3, "v"),
        (RNG.normal(0, 100, N).round(), 2**31 - 1, 4, "v"),
        (RNG.integers(20, 61, N), -1, 9, "v"),
        (RNG.integers(1000, 9000, N), -1, 9, "v"),
        (RNG.uniform(0.1, 12, N).round(1), -200, 60, "CO"),
        (RNG.normal(32, 6, N).clip(18).round(1), 0, 9, "BMI"),
        (RNG.normal(72, 12, N).clip(24).round(), 0, 30, "BloodPressure"),
        (RNG.normal(121, 30, N).clip(44).round(), 0, 5, "glucose"),
        (RNG.integers(1934, 2015, N), 0, 300, "yr_renovated"),
    ],
)
def test_a_repeated_value_far_outside_all_others_is_named(
    values: Any, sentinel: float, rows: int, name: str
) -> None:
    column = Column(name, with_some(values, sentinel, rows))
    (found,) = sentinels(column)
    rest = column.numbers[column.numbers != sentinel]
    assert (float(found.text), found.rows) == (sentinel, rows)
    assert (float(found.low), float(found.high)) == (rest.min(), rest.max())
    assert column.numbers[found.row] == sentinel
    assert not told(rest, name)


def test_several_are_named_together() -> None:
    values = with_some(RNG.uniform(-5, 35, N).round(1), -999, 31)
    assert told([*values, *[-888] * 5, *[9999] * 5]) == {"-999", "-888", "9999"}


DRAWN = {
    "normal": lambda r, n: r.normal(50, 10, n).round(1),
    "whole": lambda r, n: r.normal(100, 15, n).round(),
    "lognormal": lambda r, n: r.lognormal(3, 1.5, n).round(),
    "cauchy": lambda r, n: r.standard_cauchy(n).round(),
    "student": lambda r, n: r.standard_t(2, n).round(1),
    "pareto": lambda r, n: (r.pareto(1.0, n) * 10).round(),
    "zipf": lambda r, n: r.zipf(1.8, n),
    "counts": lambda r, n: r.poisson(3, n),
    "many": lambda r, n: r.negative_binomial(1, 0.02, n),
    "codes": lambda r, n: r.choice([10, 20, 30, 99], n),
    "answers": lambda r, n: r.choice([1, 2, 3, 4, 9], n),
    "memory": lambda r, n: r.choice([1, 2, 4, 8, 64], n),
    "signs": lambda r, n: r.choice([-1, 0, 1], n),
    "ages": lambda r, n: r.integers(18, 100, n),
    "years": lambda r, n: r.integers(1900, 2024, n),
    "amounts": lambda r, n: np.where(r.random(n) < 0.6, 0, r.lognormal(5, 1, n).round()),
    "marks": lambda r, n: np.where(r.random(n) < 0.02, 0, r.normal(70, 12, n).round().clip(20, 100)),
    "hours": lambda r, n: np.where(r.random(n) < 0.05, 0, r.integers(10, 60, n)),
    "shares": lambda r, n: r.beta(0.3, 0.3, n).round(2),
    "two hills": lambda r, n: np.where(r.random(n) < 0.1, r.normal(100, 1, n), r.normal(0, 1, n)).round(1),
}


@given(st.sampled_from(sorted(DRAWN)), st.integers(0, 2**32), st.sampled_from([30, 100, 500, 3000]))
def test_what_everybody_measures_is_not_named(name: str, seed: int, rows: int) -> None:
    assert told(DRAWN[name](np.random.default_rng(seed), rows)) == set()


@pytest.mark.parametrize("name", [name for name in BUILTINS if "mnist" not in name])
def test_nothing_is_named_in_the_builtin_sets(name: str) -> None:
    assert not any(sentinels(column) for column in read(name).columns)


@pytest.mark.parametrize("form", ["csv", "written otherwise", "jsonl", "parquet", "frame"])
def test_it_is_said_of_inputs_and_target_and_the_next_move_helps(tmp_path: Path, form: str) -> None:
    t = with_some(RNG.normal(10, 5, N).round(1), -999, 30)
    y = with_some(RNG.normal(0, 9, N).round(1), 9999, 7)
    table = pd.DataFrame({"t": t, "k": RNG.integers(0, 9, N), "y": y})
    otherwise = {"float_format": "%.3f"} if form == "written otherwise" else {}
    source = written(table, tmp_path, "csv" if otherwise else form, **otherwise)
    warnings = [w for w in describe(source, "y").warnings if w.rule == "column_sentinel"]
    assert [(w.column, w.hint) for w in warnings] == [
        ("y", "If it does: missing='9999'."),
        ("t", "If it does: missing='-999'."),
    ]
    low, high = np.sort(y[y != 9999])[[0, -1]]
    assert "The target is 9999" in warnings[0].message
    assert (
        f"rows: 7, the first in {warnings[0].row}; all others from {low:g} to {high:g}" in warnings[0].message
    )
    assert {w.message for w in warnings} == {
        n.partition(" If it")[0] for n in load(source, target="y").notes if "as if" in n
    }
    reading = ReaderOptions(missing=("-999", "9999"))
    data = load(source, target="y", reading=reading)
    assert sum(map(len, data.splits.values())) == N - 7
    told_again = describe(source, "y", reading=reading)
    assert [c.missing for c in told_again.columns] == [30, 0, 7]
    assert not any(w.rule == "column_sentinel" for w in told_again.warnings)


@pytest.mark.parametrize(("day", "rows"), [("2608-03-04", 1), ("0202-03-04", 3)])
def test_a_date_far_from_all_others_is_named(tmp_path: Path, day: str, rows: int) -> None:
    days = [f"2021-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(120)]
    path = tmp_path / "t.csv"

    def notes() -> list[str]:
        path.write_text("d,x,y\n" + "".join(f"{d},{i % 7},{i * 3 % 11}.5\n" for i, d in enumerate(days)))
        warned = [w.message for w in describe(path, "y").warnings if w.rule == "column_outliers"]
        assert warned == [
            n.partition(" Correct it")[0] for n in load(path, target="y").notes if "far from" in n
        ]
        return warned

    assert notes() == []
    days[40 : 40 + rows] = [day] * rows
    assert notes() == [f"'d' has values far from all others: {rows}, the farthest {day} in line 42."]


def test_a_day_that_is_often_written_for_nothing_is_named(tmp_path: Path) -> None:
    days = [
        "1900-01-01" if i % 9 == 4 else f"20{10 + i % 12}-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(200)
    ]
    path = tmp_path / "t.csv"
    path.write_text("d,x,y\n" + "".join(f"{d},{i % 7},{i * 3 % 11}.5\n" for i, d in enumerate(days)))
    (said,) = (w for w in describe(path, "y").warnings if w.rule == "column_sentinel")
    assert "1900-01-01" in said.message
    assert "1900-01-01" in said.hint
    again = describe(path, "y", reading=ReaderOptions(missing=("1900-01-01",)))
    assert again.columns[0].missing == days.count("1900-01-01")


def test_a_stated_number_is_no_value_in_a_table_on_disk_too(tmp_path: Path) -> None:
    x = with_some(RNG.normal(10, 5, 3000).round(1), -999, 40)
    path = tmp_path / "t.csv"
    pd.DataFrame({"x": x, "k": RNG.normal(size=3000), "y": RNG.normal(size=3000)}).to_csv(path, index=False)
    notes = []
    for limit in ("2GB", "300KB"):
        data = load(path, target="y", reading=ReaderOptions(missing=("-999",)), max_memory=limit)
        notes.append([note for note in data.notes if "Missing values" in note])
    assert notes[0] == notes[1]
    assert "x (40)" in notes[0][0]


def test_classes_and_a_target_that_is_not_chosen_yet_are_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    grade = with_some(RNG.integers(0, 3, N), -999, 12).astype(int)
    pd.DataFrame({"x": RNG.normal(size=N), "grade": grade}).to_csv(path, index=False)
    for target, said in ((None, "-999 is repeated far from"), ("grade", "The target is -999")):
        (warning,) = (w for w in describe(path, target).warnings if w.rule == "column_sentinel")
        assert warning.message.startswith(said)
    assert any(note.startswith("The target is -999") for note in load(path, target="grade").notes)
