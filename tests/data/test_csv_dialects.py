"""A table of known content in every dialect reads back equal or is refused, never different."""

import csv
import io
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import reading_peers, result
from hypothesis import given, settings
from hypothesis import strategies as st

from treino.base.errors import TreinoError
from treino.data.readers import ReaderOptions, read_file
from treino.data.rows import MemoryLimit
from treino.data.table import Column, Table

DELIMITERS = [",", ";", "\t", "|", "^", "~"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"]
QUOTING = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]
ENDS = ["\n", "\r\n", "\r"]
MISSING = ["", "NA", "N/A", "null", "None", "nan", "?", "-"]
REFUSALS: Counter[str] = Counter()

# a writing of numbers: (decimal sign, between the thousands, before, after)
WRITINGS = [
    (".", "", "", ""), (",", "", "", ""), (".", ",", "", ""), (",", ".", "", ""), (",", " ", "", ""),
    (",", ".", "R$ ", ""), (".", ",", "$", ""), (",", "", "", "%"), (".", "", "", " €"), (".", "'", "", ""),
]  # fmt: skip
DATES = ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%y"]
letters = st.text("abcxyzáçãoé ", min_size=1, max_size=6).map(lambda text: "k" + text.strip())
amounts = st.one_of(
    st.decimals(-10_000_000, 10_000_000, places=2),
    st.decimals(-1000, 1000, places=3),
    st.integers(-10_000_000, 10_000_000),
)


def amount(value: Any, writing: tuple[str, str, str, str]) -> str:
    sign, group, before, after = writing
    whole, _, part = f"{abs(value):,}".partition(".")
    text = whole.replace(",", group) + (sign + part if part else "")
    return ("-" if value < 0 else "") + before + text + after


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]], list[list[Any]]]:
    """(names, columns as written, columns as meant: float, str, or datetime, None where missing)."""
    writing, form = draw(st.sampled_from(WRITINGS)), draw(st.sampled_from(DATES))
    rows = draw(st.integers(1, 6))
    written, meant = [], []
    for _column in range(draw(st.integers(2, 4))):
        kind = draw(st.sampled_from(["amount", "amount", "words", "date", "truth"]))
        gaps = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        if kind == "amount":
            values = draw(st.lists(amounts, min_size=rows, max_size=rows))
            cells, found = [amount(v, writing) for v in values], [float(v) for v in values]
        elif kind == "words":
            extra = draw(st.sampled_from(["", ",", ";", '"', "'", " | ", "\n", '","', "1,5"]))
            values = draw(st.lists(letters, min_size=rows, max_size=rows))
            cells = found = [v + extra for v in values]
            gaps = [False] * rows
        elif kind == "date":
            days = draw(st.lists(st.integers(0, 20_000), min_size=rows, max_size=rows))
            moments = [datetime(1970, 1, 1, 7, 45, tzinfo=UTC) + timedelta(days=day) for day in days]
            cells = [moment.strftime(form) for moment in moments]
            found = [datetime.strptime(c, form).replace(tzinfo=UTC) for c in cells]
        else:
            values = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
            cells, found, gaps = [str(v) for v in values], [float(v) for v in values], [False] * rows
        word = draw(st.sampled_from(MISSING))
        written.append([word if gap else cell for cell, gap in zip(cells, gaps, strict=True)])
        meant.append([None if gap else value for value, gap in zip(found, gaps, strict=True)])
    return [f"name {'abcd'[j]}" for j in range(len(written))], written, meant


def text_of(names: list[str], columns: list[list[str]], **options: Any) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, **options)
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def read(content: bytes, reading: ReaderOptions | None = None, name: str = "t.csv") -> Table | None:
    """The table, the same in memory and in a file; None where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            table = read_file(path, reading)
        except TreinoError as error:
            REFUSALS[error.rule] += bool(error.hint and error.status == 2)
            return None
        stored = read_file(path, reading, room=MemoryLimit(0, lambda: path.parent))
        assert stored.stored
        for column in table.columns:
            for what in ("numbers", "words", "seconds"):
                cells = getattr(stored.column(column.name), what)
                np.testing.assert_array_equal(cells, getattr(column, what))
        return table


def equal(column: Column, meant: list[Any]) -> bool:
    """Whether the column holds what was meant, as numbers, as dates, or word by word."""
    present = [value for value in meant if value is not None]
    if present and isinstance(present[0], str):
        return column.words is not None and column.words.tolist() == [word.strip() for word in meant]
    values = column.numbers if column.numbers is not None else column.seconds
    if values is None:
        return False
    if present and isinstance(present[0], datetime):
        meant = [None if value is None else value.timestamp() for value in meant]
        if column.seconds is None:
            return False
    wanted = [np.nan if value is None else value for value in meant]
    return bool(np.array_equal(values, np.array(wanted, dtype=float), equal_nan=True))


def check(
    table: tuple[list[str], list[list[str]], list[list[Any]]],
    delimiter: str,
    encoding: str,
    quoting: int,
    end: str,
    sample: int,
) -> None:
    names, written, meant = table
    text = text_of(names, written, delimiter=delimiter, lineterminator=end, quoting=quoting)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("treino.data.readers.dialect.SAMPLE", sample)
        found = read(content)
    if found is None:
        return
    assert found.names == tuple(names), text
    filled = [any(cell.strip() for cell in row) for row in zip(*written, strict=True)]
    for column, values in zip(found.columns, meant, strict=True):  # empty rows are left out
        assert equal(column, list(compress(values, filled))), (text, column)


every_dialect = given(
    table=tables(),
    delimiter=st.sampled_from(DELIMITERS),
    encoding=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from(QUOTING),
    end=st.sampled_from(ENDS),
    sample=st.sampled_from([1 << 18, 60, 100]),  # bytes at the beginning that the dialect is found by
)


@pytest.mark.parametrize("draws", [40, pytest.param(120, marks=pytest.mark.release)])
def test_dialects_read_back_equal_or_are_refused(draws: int) -> None:
    settings(max_examples=draws)(every_dialect(lambda **drawn: check(**drawn)))()


@pytest.mark.parametrize("delimiter", ["^", "~", "\x1f", "\x01"])
@pytest.mark.parametrize("ending", [",", ";", " | ", "\t|"])
@pytest.mark.parametrize("rows", [1, 12])
def test_cells_that_end_in_a_usual_delimiter_leave_the_header_where_it_is(
    delimiter: str, ending: str, rows: int
) -> None:
    names, days = ["name a", "name b", "name c"], [f"{13 + i}.05.2019" for i in range(rows)]
    columns = [[f"x {i % 3}{ending}" for i in range(rows)], days, [f"ya{ending}"] * rows]
    found = read(text_of(names, columns, delimiter=delimiter).encode())
    assert found.names == tuple(names)
    assert found.column("name a").words.tolist() == [cell.strip() for cell in columns[0]]


def test_a_title_with_an_unusual_delimiter_is_still_a_title() -> None:
    found = read(b"Rents 2019 ~ 2021\n\nroom,rent\na,700.5\nb,810.25\nc,905.5\n")
    assert found.names == ("room", "rent")


@pytest.mark.release
def test_no_table_of_the_benchmark_reads_back_different() -> None:
    """All of its tables, as the published figure says; the peer's column is not needed for that."""
    figures = reading_peers.run(quick=False).figures["treino"]
    assert sum(figures.values()) == reading_peers.CASES
    assert figures == result.read("reading_peers")[0].figures["treino"]
    assert "different" not in figures


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("blanks", [" ", "  ", "\t "])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_blanks_after_a_closing_quote_are_no_delimiter(
    quote: str, blanks: str, delimiter: str, tmp_path: Path
) -> None:
    blanks = blanks.replace("\t", "" if delimiter == "\t" else "\t")
    end = "\n" if quote == '"' else " "
    cells = [
        ["width", "big name", "colour"],
        *([str(i / 4), f"a, b; {i}{end}c", "red, x"] for i in range(40)),
    ]
    lines = (f"{blanks}{delimiter}".join(f"{quote}{cell}{quote}" for cell in row) for row in cells)
    path = tmp_path / "t.csv"
    path.write_text(f"{blanks}\n".join([*lines, ""]), newline="")
    table = read_file(path)
    assert table.names == ("width", "big name", "colour")
    assert table.column("width").numbers.tolist() == [i / 4 for i in range(40)]
    assert table.column("big name").words.tolist() == [f"a, b; {i}{end}c" for i in range(40)]
