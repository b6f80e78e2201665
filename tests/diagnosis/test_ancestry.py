"""Rows are followed from a net's call back to the line that cut, converted or gave them."""

import pytest

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.ancestry import ancestry, converts, first, made_by
from treino.diagnosis.reading.source import statement_at
from treino.diagnosis.where.kinds import cuts

SCRIPT = """\
def divide(table, n):
    count = int(n)
    return table.iloc[:count], table.iloc[count:]

class Rows(Dataset):
    def __init__(self, part):
        self.x = part.to_numpy()
    def __getitem__(self, i):
        return self.x[i]

def score(net, loader):
    for x in loader:
        net(x)

def batches(x, size):
    for start in range(0, len(x), size):
        yield x[start : start + size]

one, other = divide(read(), 90)
rows = Rows(one)
z = torch.tensor(other[columns].values)
for epoch in range(1, 9):
    net(z)
    for x in batches(z, 5):
        net(x)
    score(net, DataLoader(rows, 3))
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    return str(file)


@pytest.mark.parametrize(
    ("line", "fits", "found"),
    [
        (23, converts, 21),
        (23, cuts, 3),
        (25, cuts, 3),  # a batch is no cut: it has two ends
        (13, cuts, 3),  # through the loop, the argument, the dataset and its constructor
        (13, converts, 7),
    ],
)
def test_rows_are_followed_through_functions_and_datasets(path, line, fits, found):
    assert first(ancestry(Site(path, line)), fits) == Site(path, found)


def test_what_generators_and_datasets_give(path):
    assert [s.site.line for s in made_by(path, statement_at(Site(path, 24)).iter)] == [17]
    assert [s.site.line for s in made_by(path, statement_at(Site(path, 20)).value)] == [9]


def test_nothing_is_found_where_nothing_is_known(path):
    assert list(ancestry(None)) == []
    assert first(ancestry(Site(path, 1)), cuts) is None
