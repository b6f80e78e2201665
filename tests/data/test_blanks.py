"""Tables whose cells are parted by blanks: the cells are those that were written."""

import io

import numpy as np
import pandas as pd

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.data import load
from treino.data.readers import ReaderOptions, read_file

RNG = np.random.default_rng(0)


def cells_of(path: object, reading: ReaderOptions | None = None) -> dict[str, list[str]]:
    return {c.name: [c.cell(i) for i in range(len(c))] for c in read_file(str(path), reading).columns}


def test_words_and_few_numbers_between_single_blanks_are_a_table(write: Write) -> None:
    """As the German credit data is written: more columns of codes than of numbers."""
    rows = "".join(f"A1{i % 4} {6 + i} A4{i % 3} A3{i % 5} {'good' if i % 3 else 'bad'}\n" for i in range(60))
    path = write("status months purpose history risk\n" + rows, "credit.data")
    assert load(path, target="risk").classes == ("bad", "good")
    tabs = write(("status months purpose history risk\n" + rows).replace(" A3", "\tA3"), "mixed.data")
    assert cells_of(tabs, ReaderOptions(delimiter=" ")) == cells_of(path)


def test_lines_of_prose_are_no_table(write: Write) -> None:
    prose = "review\n" + "".join(f"this one is {'good' if i % 2 else 'bad'}\n" for i in range(60))
    assert refusal_of(read_file, write(prose)).rule == "csv_one_column"


def test_a_column_may_be_named_inf(write: Write) -> None:
    frame = pd.DataFrame(RNG.normal(size=(30, 3)), columns=["open", "inf", "pcinc"])
    assert load(write(frame.to_csv(index=False)), target="inf").features == ("open", "pcinc")
    headless = io.StringIO()
    frame.iloc[:, :3].assign(pcinc=np.inf).to_csv(headless, index=False, header=False)
    assert read_file(write(headless.getvalue(), "b.csv")).names == ("x1", "x2", "x3")
    whole = "".join(f"{i % 3},{'inf' if i in (0, 7) else i * i % 11},{i % 4}\n" for i in range(30))
    assert read_file(write(whole, "c.csv")).names == ("x1", "x2", "x3")
