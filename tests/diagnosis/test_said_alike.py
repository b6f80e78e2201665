"""Calls that say the same in other words are read in one way."""

import ast
import textwrap

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.by_position import by_position
from treino.diagnosis.reading.own_loaders import loading, own_loader
from treino.diagnosis.reading.said_alike import said_alike
from treino.diagnosis.reading.source import refresh

ALIKE = [
    ("torch.index_select(x, 0, rows)", "x[rows]"),
    ("x.index_select(0, rows)", "x[rows]"),
    ("x.index_select(dim=0, index=rows)", "x[rows]"),
    ("np.take(x, rows, axis=0)", "x[rows]"),
    ("x.take(rows, axis=0)", "x[rows]"),
    ("net.train(False)", "net.eval()"),
    ("net.train(mode=False)", "net.eval()"),
    ("self.net.train(True)", "self.net.train()"),
    ("getattr(torch.optim, 'Adam')(p, lr=rate)", "torch.optim.Adam(p, lr=rate)"),
    ("x[rows, :]", "x[rows]"),
    ("x[rows, ...]", "x[rows]"),
    ("torch.concat([a, b])", "torch.cat([a, b])"),
]
BY_NAME = [
    ("DataLoader(dataset=rows, batch_size=8)", "DataLoader(rows, batch_size=8)"),
    ("F.cross_entropy(input=net(x), target=y)", "F.cross_entropy(net(x), y)"),
    ("F.cross_entropy(target=y, input=net(x))", "F.cross_entropy(net(x), y)"),
    ("torch.optim.Adam(params=net.parameters(), lr=rate)", "torch.optim.Adam(net.parameters(), lr=rate)"),
    ("scaler.fit(X=x)", "scaler.fit(x)"),
    ("F.cross_entropy(target=y)", "F.cross_entropy(target=y)"),
    ("DataLoader(**settings, dataset=rows)", "DataLoader(**settings, dataset=rows)"),
]
OTHERWISE = [
    "x[rows, None]",
    "x[:, 0]",
    "x.index_select(1, columns)",
    "np.take(x, rows)",
    "net.train(phase == 'fit')",
    "getattr(settings, name)",
    "np.concatenate([a, b])",
    "torch.index_select(*parts)",
]

BATCHES = """\
class Batches:
    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        yield from self.rows


def halves(rows):
    yield rows[:2]
    yield rows[2:]


def count(batches):
    n = 0
    for batch in batches:
        n += len(batch)
    return n


held = Batches([[1], [2, 3]])
print(count(held), [len(b) for b in halves([1, 2, 3])])
for b in [4, 5]:
    print(b)
"""


@pytest.mark.parametrize(("said", "meant"), ALIKE)
def test_other_words_are_read_as_the_usual_ones(said, meant):
    assert ast.unparse(said_alike(ast.parse(said))) == meant


@pytest.mark.parametrize(("said", "meant"), BY_NAME)
def test_what_libraries_are_given_by_name_is_read_by_place(said, meant):
    assert ast.unparse(by_position(ast.parse(said))) == meant


@pytest.mark.parametrize("said", OTHERWISE)
def test_what_says_something_else_stays(said):
    assert ast.unparse(said_alike(ast.parse(said))) == said


def test_a_replaced_call_keeps_its_line():
    (statement,) = said_alike(ast.parse("\n\ny = x.index_select(0, rows)")).body
    assert statement.value.lineno == 3


def test_loops_over_what_a_file_gives_batches_by(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(BATCHES))
    refresh()
    lines = BATCHES.splitlines()

    def at(text: str) -> Site:
        return Site(str(path), next(i for i, line in enumerate(lines, 1) if text in line))

    assert loading(str(path)) == ("Batches", "halves")
    assert own_loader((at("n += len"),)) == at("held = Batches")  # through the argument of a function
    assert own_loader((at("for b in halves"),)) == at("for b in halves")
    assert own_loader((at("    print(b)"),)) is None
