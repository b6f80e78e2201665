"""Cells that aren't written as their column's others: named with their lines, gaps where that is safe."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import treino as tr
from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.base.errors import TreinoError
from treino.data import describe, load, rows_for_prediction
from treino.data.preparation.fit_columns import class_program

N = 90
RNG = np.random.default_rng(7)
DAYS = [f"2023-{i % 12 + 1:02}-{i % 27 + 1:02}" for i in range(N)]
TIMES = [f"{day} {i % 24:02}:15:00" for i, day in enumerate(DAYS)]
SMALL = [f"{x:.1f}" for x in RNG.random(N) * 5]


def with_cells(cells: list[str], *more: str) -> list[str]:
    return [*cells[: N - len(more)], *more]


def table(write: Write, cells: list[str], name: str = "t.csv") -> Path:
    rows = [f'"{cell}",{i * 7 % 11},{"ab"[i % 2]}\n' for i, cell in enumerate(cells)]
    return write("v,x,y\n" + "".join(rows), name)


@pytest.mark.parametrize(
    ("cells", "way", "says"),
    [
        (with_cells(DAYS, "later", "tbd"), "date", ["'later' (line 90), 'tbd' (line 91)", "kinds="]),
        (with_cells(TIMES, *DAYS[:40]), "date", []),
        ([f"{i % 27 + 1:02}/{('fev', 'OUT')[i % 2]}/2021" for i in range(N)], "date", []),
        ([f"Sept {i % 27 + 1}, 2021" for i in range(N)], "date", []),
        ([f"202103{i % 27 + 1:02}T1030Z" for i in range(N)], "date", []),
        (with_cells(SMALL, "#REF!", "..", "Err:502"), "number", ["#REF!, .., Err:502 for no value (v)"]),
        (with_cells(SMALL, "\\N", "(null)"), "number", ["for no value (v)"]),
        ([("77E4", "5E2", "1203")[i % 3] for i in range(N)], "one-hot", ["Codes such as '77E4'"]),
        ([("yes", "False", "TRUE", "n")[i % 4] for i in range(N)], "number", []),
        ([("oak", "Oak", "ash")[i % 3] for i in range(N)], "one-hot", ["only in case", "v: Oak, oak"]),
        ([("secret", *SMALL[:3])[i % 4] for i in range(N)], "one-hot", ["missing='secret'", "line 2"]),
        (with_cells([f"{x:.2f}" for x in RNG.random(N) * 999 + 1], "1,250"), "number", ["commas"]),
        ([f"{i * 7 % 23} lbs" for i in range(N)], "number", ["unit lbs"]),
    ],
)  # fmt: skip
def test_what_is_read(write: Write, cells: list[str], way: str, says: list[str]) -> None:
    for source in (table(write, cells), pd.read_csv(table(write, cells), dtype=str, keep_default_na=False)):
        data = load(source, target="y", kinds={"x": "number"})
        assert data.preparation.programs[0].way == way
        notes = " ".join(data.notes).replace("row 88", "line 90").replace("row 89", "line 91")
        assert all(word in notes.replace("row 0", "line 2") for word in says), notes


@pytest.mark.parametrize(
    ("cells", "rule", "says"),
    [
        (with_cells(DAYS, "2023-02-30"), "feature_date", "2023-02-30"),
        (with_cells(TIMES, "2O23-01-01 00:00:00"), "feature_date", "2O23-01-01 00:00:00"),
        (
            with_cells([f"{i % 15 + 13}/06/2021" for i in range(N)], "06/25/2021"),
            "feature_date", "06/25/2021",
        ),
        (with_cells([f"{i % 24:02}:00" for i in range(N)], "24:30"), "feature_date", "24:30"),
        (with_cells([f"US$ {i},000.50" for i in range(9, 99)], "lots"), "feature_text", "lots"),
        (with_cells([f"{i / 7:.1f} kg" for i in range(N)], "154 lbs"), "feature_number", "154 lbs"),
        (with_cells(SMALL, "3,142"), "decimal_mixed", "3,142"),
        (with_cells([cell.replace(".", ",") for cell in SMALL], "3.142"), "decimal_mixed", "3.142"),
    ],
)  # fmt: skip
def test_what_is_refused_with_its_line(write: Write, cells: list[str], rule: str, says: str) -> None:
    path = table(write, cells)
    error = refusal_of(load, path, target="y")
    assert error.rule == rule
    assert f"'{says}' in line 91" in error.message
    if rule != "decimal_mixed":
        data = load(path, target="y", reading={"missing": cells[-1]}, validation=0, test=0)
        assert data.preparation.programs[0].flag


def test_orders_of_dates_that_are_said(write: Write) -> None:
    for cells, order in (
        ([f"05/{i % 12 + 1:02}/{i % 27 + 1:02}" for i in range(N)], "year/month/day"),
        ([f"2005.{i % 27 + 1:02}.{i % 12 + 1:02}" for i in range(N)], "year/day/month"),
        ([f"05-{('Jan', 'May')[i % 2]}-{i % 27 + 1:02}" for i in range(N)], "year/month/day"),
    ):
        program = load(table(write, cells), target="y", reading={"dates": order}).preparation.programs[0]
        assert program.way == "date"
        assert 2004.9 < 1970 + program.step("days").origin / 86400 / 365.25 < 2005.1


def test_the_description_names_them_too(write: Write) -> None:
    found = describe(table(write, with_cells(DAYS, "tbd")), "y")
    assert any(w.rule == "column_words" and "'tbd' (line 91)" in w.message for w in found.warnings)
    spelled = describe(write("v,y\n" + "".join(f"{i},{('No', 'no', 'x')[i % 3]}\n" for i in range(30))), "y")
    assert any(w.rule == "class_spellings" and "No, no" in w.message for w in spelled.warnings)


def test_a_stated_number_is_no_value(write: Write) -> None:
    path = table(write, with_cells(SMALL, "-999", "-999"))
    data = load(path, target="y", reading={"missing": "-999"}, normalise=False, validation=0, test=0)
    assert data.train.x[:, 0].min() >= 0
    assert any("v (2)" in note for note in data.notes)


def test_classes_are_as_they_are_written(write: Write, tmp_path: Path) -> None:
    versions = [("2.10", "2.1", "2.9", "10.0")[i % 4] for i in range(N)]
    rows = "".join(f"{i % 4 + RNG.normal() / 9:.4f},{v},{'ab'[i % 2]}\n" for i, v in enumerate(versions))
    path = write("x,v,y\n" + rows)
    wanted = ("2.1", "2.10", "2.9", "10.0")
    for source in (path, pd.read_csv(path, dtype={"v": str})):
        data = load(source, target="v", task="classification")
        assert data.classes == wanted
        assert any("2.1, 2.10" in note for note in data.notes)
        programs = load(source, target="y", kinds={"v": "category"}).preparation.programs
        assert programs[1] == class_program("v", wanted, numeric=False)
    run = tr.fit(path, target="v", task="classification", epochs=40, parent=tmp_path)
    assert set(run.predict(path).tolist()) == set(wanted)
    run.predict(write("x,y,v\n0,a,2.10\n3,b,10\n", "new.csv"))  # 10 can only be 10.0
    assert "'2.100' is no class" in str(refusal_of(run.predict, write("x,y,v\n0,a,2.100\n", "other.csv")))


def test_new_rows_are_read_as_the_training_rows_were(write: Write, tmp_path: Path) -> None:
    code, paid = ["88E2", "7E3", "1E1"], ["yes", "no"]
    rows = "".join(f"{DAYS[i]},{code[i % 3]},{paid[i % 2]},{i % 7},{code[i % 3]}\n" for i in range(N))
    run = tr.fit(write("when,code,paid,x,y\n" + rows), target="y", epochs=2, parent=tmp_path)
    head = "when,code,paid,x\n"
    same = run.predict(write(head + "2023-05-04,7E3,yes,3\n", "a.csv"))
    assert run.predict(write(head + "04-May-2023,7E3,TRUE,3.0\n", "b.csv")).tolist() == same.tolist()
    result = run.predict(write(head + "tbd,1E1,-,3\n2023-01-02,88E2,Yes,#N/A\n", "c.csv"))
    assert len(result) == 2
    with pytest.raises(TreinoError, match="'maybe' in line 2, which is not yes or no"):
        run.predict(write(head + "2023-05-04,7E3,maybe,3\n", "d.csv"))


LONG = [f"{i % 60:02}:{i % 53:02}:{i % 47:02}" for i in range(N)]
AS_NUMBERS = "Write durations as numbers, all in one unit"


@pytest.mark.parametrize(
    "cells",
    [
        LONG,
        [f"{i % 60:02}h{i % 53:02}" for i in range(N)],
        [f"{i % 60}:{i % 53:02}" for i in range(N)],
        with_cells([f"{i % 24:02}:{i % 53:02}:00" for i in range(N)], "30:00:00", "24:10:00"),
    ],
)
def test_times_that_no_day_has_are_named_as_durations(write: Write, cells: list[str]) -> None:
    path = table(write, cells)
    error = refusal_of(load, path, target="y")
    assert error.rule == "feature_date"
    assert AS_NUMBERS in error.hint
    first = next(row for row, cell in enumerate(cells) if int(cell.replace("h", ":").split(":")[0]) > 23)
    assert f"'{cells[first]}' in line {first + 2}" in error.message
    assert AS_NUMBERS in " ".join(warning.hint for warning in describe(path, "y").warnings)


@pytest.mark.parametrize(
    "cells",
    [
        [f"{i % 60}h {i % 53:02}m" for i in range(N)],
        [f"{i % 9}:{i % 53:02}.{i % 1000:03}" for i in range(N)],
        [str(pd.Timedelta(minutes=61 * i)) for i in range(N)],
        [f"PT{i % 60}H{i % 53}M" for i in range(N)],
        [f"{100 + i}:{i % 53:02}:00" for i in range(N)],
        [f"{i % 60} h {i % 53} min" for i in range(N)],
    ],
)
def test_other_durations_are_words_with_a_hint(write: Write, cells: list[str]) -> None:
    notes = " ".join(load(table(write, cells), target="y").notes)
    assert f"'v' holds durations such as '{cells[0]}'" in notes
    assert AS_NUMBERS in notes


def test_a_time_over_24_hours_never_becomes_a_time_of_day(write: Write) -> None:
    data = load(table(write, [f"{i % 24:02}:{i % 53:02}:00" for i in range(N)]), target="y")
    error = refusal_of(rows_for_prediction, write("v,x\n25:30:00,1\n", "new.csv"), data.preparation)
    assert "'25:30:00' in line 2" in error.message


@pytest.mark.parametrize(
    "ranges", [["1990-94", "1995-99", "2000-04", "2005-09"], ["1999-00", "2000-01", "2011-12", "2023-24"]]
)
def test_ranges_of_years_are_classes(write: Write, ranges: list[str]) -> None:
    data = load(table(write, [ranges[i % 4] for i in range(N)]), target="y")
    program = data.preparation.programs[0]
    assert program.way == "one-hot"
    assert set(program.levels) == set(ranges)
    months = [f"20{i % 20 + 10}-{i % 12 + 1:02}" for i in range(N)]
    assert load(table(write, months), target="y").preparation.programs[0].way == "date"
    error = refusal_of(load, table(write, with_cells(months, "1995-99")), target="y")
    assert "v=category" in error.hint


@pytest.mark.parametrize(
    ("cells", "how"),
    [
        (["Santos", "santos", "Rio"], "case or spaces"),
        (["Santa  Cruz", "Santa Cruz", "Santa\u00a0Cruz"], "case or spaces"),
        (["São Paulo", "Sao Paulo", "Rio"], "accents"),
        (["São Paulo", "Sa\u0303o Paulo", "Rio"], ""),  # read as one
        (["Rio", "R\u200bio", "Oeiras"], "what can't be seen"),
        (["か", "が", "は"], ""),  # other letters
        (["C", "C++", "C#"], ""),
        (["oak", "oaks", "o ak"], ""),
    ],
)
@pytest.mark.parametrize("target", [False, True])
def test_spellings_of_classes_are_named(write: Write, cells: list[str], how: str, target: bool) -> None:
    path = write("v,x,y\n" + "".join(f"{cells[i * i % 7 % 3]},{i * 5 % 17},{i % 4}.5\n" for i in range(N)))
    name = "v" if target else "y"
    rule = "class_spellings" if target else "column_spellings"
    said = [w.message for w in describe(path, name).warnings if w.rule == rule]
    assert len(said) == bool(how)
    assert all(how in message for message in said)
    assert [
        n.partition(" If they mean")[0] for n in load(path, target=name).notes if "Spellings" in n
    ] == said


def test_a_control_character_is_no_digit(write: Write) -> None:
    """The one that stands for a leading zero in a cell's shape, too."""
    for cell in "\x01", "1\x01", "\x015", "-\x01", "\x01\x01":
        assert refusal_of(load, table(write, with_cells(SMALL, cell)), target="y", kinds={"x": "number"})
