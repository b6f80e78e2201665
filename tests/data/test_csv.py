"""CSV files: what was written is what is read, by either reader, whatever the line ends and delimiter."""

import hashlib

import pytest

from tests.data.conftest import Write
from treino.data import load
from treino.data.readers import read_file
from treino.data.table import Table


def values(table: Table) -> list[list[object]]:
    return [(column.words if column.numbers is None else column.numbers).tolist() for column in table.columns]


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


def test_load_keeps_name_source_and_digest_of_the_file(write: Write) -> None:
    path = write("a,y\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(20)), "my rows.csv")
    for source in (str(path), path):
        data = load(source, target="y")
        assert data.name == "my rows"
        assert data.source == str(path)
        assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
