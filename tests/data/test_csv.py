"""CSV files: what was written is what is read, by either reader, whatever the line ends and delimiter."""

import csv
import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.conftest import Write
from treino.data import load
from treino.data.readers import read_file
from treino.data.table import Table

names = st.lists(
    st.text('abyz é(%,;"', max_size=3).map(lambda text: "n" + text),
    min_size=2,
    max_size=5,
    unique_by=str.strip,
)
finite = st.floats(allow_nan=False, allow_infinity=False)


def written(
    header: list[str], rows: list[list[float]], delimiter: str, end: str, bom: bool, quoted: bool
) -> bytes:
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(header)
    writer.writerows([[repr(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


@given(
    header=names,
    delimiter=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    bom=st.booleans(),
    quoted=st.booleans(),
    data=st.data(),
)
@settings(max_examples=40)
def test_a_table_of_numbers_reads_back_equal(
    header: list[str], delimiter: str, end: str, bom: bool, quoted: bool, data: st.DataObject
) -> None:
    width = len(header)
    rows = data.draw(st.lists(st.lists(finite, min_size=width, max_size=width), min_size=1, max_size=8))
    content = written(header, rows, delimiter, end, bom, quoted)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(content)
        table = read_file(path)
    assert table.names == tuple(name.strip() for name in header)
    got_ND = np.stack([column.numbers for column in table.columns], axis=1)
    np.testing.assert_array_equal(got_ND, np.array(rows))
    assert table.sha256 == hashlib.sha256(content).hexdigest()


def values(table: Table) -> list[list[object]]:
    return [
        (column.words if column.numbers is None else column.numbers).tolist()  # type: ignore[union-attr]
        for column in table.columns
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y",
        "\ufeffa,b\n\n1,x\n\n\n2,y\n\n",
        "a;b\n1;x\n2;y\n",
        "a\tb\n1\tx\n2\ty\n",
        ' a , b \n 1 , x \n2, y \n',
        '"a","b"\n"1","x"\n"2","y"\n',
        "a,b\n1.0,x\n+2e0,y\n",
    ],
)  # fmt: skip
def test_the_same_table_in_many_writings(write: Write, text: str) -> None:
    table = read_file(write(text))
    assert table.names == ("a", "b")
    assert values(table) == [[1.0, 2.0], ["x", "y"]]


def test_quotes_hold_delimiters_quotes_and_line_ends(write: Write) -> None:
    table = read_file(write('n,"text, ""here"""\n1,"a,b"\n2,"c\nd"\n3,"say ""x"""\n'))
    assert table.names == ("n", 'text, "here"')
    assert values(table)[1] == ["a,b", "c\nd", 'say "x"']
    assert [table.place(row) for row in range(3)] == ["line 2", "line 3", "line 5"]


def test_lines_are_counted_as_an_editor_does(write: Write) -> None:
    table = read_file(write("\na,b\n\n1,2\n\n3,4\n"))
    assert [table.place(row) for row in range(2)] == ["line 4", "line 6"]


def test_true_and_false_are_booleans(write: Write) -> None:
    column = read_file(write("a,b\nTrue,1\nfalse,2\n")).column("a")
    assert column.boolean
    assert column.numbers is not None
    assert column.numbers.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("cell", ["0x10", "1_000", "１", "1d5", "12%", "R$ 3", "1e", "--1", "1 2"])
def test_what_is_not_a_plain_number_stays_text(write: Write, cell: str) -> None:
    column = read_file(write(f"a;b\n1;2\n{cell};3\n")).column("a")
    assert column.numbers is None


def test_the_two_readers_agree_on_a_larger_table(write: Write) -> None:
    random = np.random.RandomState(0)
    lines = [f"{a!r},{b},{['red', 'green', 'blue'][b]}" for a, b in zip(
        random.randn(3000).tolist(), random.randint(0, 3, 3000).tolist(), strict=True)]  # fmt: skip
    text = "a,b,c\n" + "\n".join(lines)
    fast, slow = (
        read_file(write(text)),
        read_file(write(text.replace("a,b,c", 'a,b,"c"', 1), "q.csv")),
    )
    assert values(fast) == values(slow)


def test_load_keeps_name_source_and_digest_of_the_file(write: Write) -> None:
    path = write("a,y\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(20)), "my rows.csv")
    for source in (str(path), path):
        data = load(source, target="y")
        assert data.name == "my rows"
        assert data.source == str(path)
        assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
