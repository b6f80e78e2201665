"""Tables that a training takes its rows from: known as a whole, however long an epoch is."""

import sys
import weakref

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset, TensorDataset

from tests.diagnosis.zygote import marked, told
from treino.diagnosis.record.lines import watch_file
from treino.diagnosis.watch.standing import standing
from treino.diagnosis.watch.where import locals_of

NET = """
net = nn.Sequential(nn.Linear(kept.shape[1], 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

def evaluate(x_test, y_test):
    with torch.no_grad():
        return (net(x_test).argmax(1) == y_test).float().mean()

def learn(logits, labels):
    loss = F.cross_entropy(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
BATCHES = """
for epoch in range(2):
    for rows in torch.randperm(180).split(2):
        learn(net(x_train[rows]), y_train[rows])
    print(evaluate(x_test, y_test))
"""
HELD = """
class Rows(torch.utils.data.Dataset):
    def __init__(self, table, labels):
        self.table, self.labels = table.numpy(), labels

    def __len__(self):
        return len(self.table)

    def __getitem__(self, i):
        return torch.from_numpy(self.table[i]), self.labels[i]

for epoch in range(2):
    for some, labels in torch.utils.data.DataLoader(Rows(x_train, y_train), batch_size=2, shuffle=True):
        learn(net(some), labels)
    print(evaluate(x_test, y_test))
"""
BY_NUMBER = """
x_test, y_test = kept[180:], y[180:]
for epoch in range(2):
    for rows in torch.randperm(180).split(2):
        learn(net(kept[rows]), y[rows])
    print(evaluate(x_test, y_test))
"""
SPLIT = "\nx_train, y_train, x_test, y_test = kept[:180], y[:180], kept[180:], y[180:]\n"
ALL = "x = 3 * x + 1\nkept = (x - x.mean(0)) / x.std(0)  # here\n"
KNOWN = "x = 3 * x + 1\nkept = (x - x[:180].mean(0)) / x[:180].std(0)\n"
FLAGS = "flags = torch.cat([F.one_hot(torch.arange(240) % 5, 5).float(), (x[:, 2:5] > 0).float()], 1)\n"
MIXED = "kept = torch.cat([kept, flags], 1)\n"
RANGED = "span = x.max(0).values - x.min(0).values  # here\nkept = (x - x.min(0).values) / span\n" + MIXED


FAULTS = {
    "batches of two": ALL + NET + SPLIT + BATCHES,
    "a dataset of arrays": ALL + NET + SPLIT + HELD,
    "rows by their numbers": ALL + NET + BY_NUMBER,
    "numbers beside flags": FLAGS + ALL + MIXED + NET + SPLIT + BATCHES,
    "ranges beside flags": "x = 3 * x + 1\n" + FLAGS + RANGED + NET + SPLIT + BATCHES,
}
RIGHT = {
    "batches of two": KNOWN + NET + SPLIT + BATCHES,
    "a dataset of arrays": KNOWN + NET + SPLIT + HELD,
    "rows by their numbers": KNOWN + NET + BY_NUMBER,
    "numbers beside flags": FLAGS + KNOWN + MIXED + NET + SPLIT + BATCHES,
    "signs as often as not": "told = x.mean(0), x.std(0)\nsigns = torch.ones(240, 2)\nsigns[::2] = -1.0\n"
    "kept = torch.cat([x, signs], 1)\n" + NET + SPLIT + BATCHES,
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_scaling_of_whole_tables_is_found_in_long_epochs(case, tmp_path):
    found = told(FAULTS[case], tmp_path)
    assert [rule for rule, _ in found] == ["scaler_leakage"]
    assert found[0][1] == marked(tmp_path)


@pytest.mark.parametrize("case", RIGHT)
def test_a_scaling_of_training_rows_is_right(case, tmp_path):
    assert told(RIGHT[case], tmp_path) == []


@pytest.fixture
def own():
    """This file counts as a person's own, as a script does."""
    watch_file(__file__)


class Keeper:
    def __init__(self, **held):
        self.__dict__.update(held)


@pytest.mark.parametrize(
    "keep",
    [
        lambda x: x,
        lambda x: x.numpy(),
        lambda x: {"train": [x]},
        lambda x: Keeper(parts=(x, 1)),
        lambda x: DataLoader(Subset(TensorDataset(x), [0, 1])),
    ],
)
def test_a_table_is_found_wherever_it_is_held(own, keep):
    x = torch.randn(50, 4)
    batch, kept = x[[3, 7]].numpy(), keep(x)
    del x
    (found,) = standing(batch)
    assert found.columns.n == 50 == len(found.rows)
    assert kept is not None


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="asking leaves nothing on a frame any more")
def test_asking_for_the_names_of_a_running_function_keeps_nothing_alive():
    class Thing:
        pass

    def asks():
        return locals_of(sys._getframe(1))

    def plain():
        thing = Thing()
        gone = weakref.ref(thing)
        assert asks()["thing"] is thing
        thing = None
        return gone()

    def holding():
        thing = Thing()
        own = locals()
        assert asks()["thing"] is thing
        return own["thing"] is thing

    assert plain() is None
    assert holding()


def test_neither_the_batch_nor_a_table_without_its_rows_is_told(own):
    batch, other = np.ones((3, 4), np.float32), torch.randn(50, 4)
    assert standing(batch) == []
    assert len(other) == 50
