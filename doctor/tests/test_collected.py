"""Rows that a table or a loop put together: filled with their own averages, collected out of order; and
layers that get their shape from the first rows.
"""

import pytest

from treino_doctor.rules.examples import PRELUDE
from zygote import examined, findings_in, marked

TRAIN = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(10):
    for rows in torch.randperm(len(x_train)).split(30):
        loss = F.cross_entropy(net(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print((net(x_test).argmax(1) == y_test).float().mean())
"""
HOLES = """
import numpy as np
import pandas as pd
holes = torch.rand(x.shape) < 0.2
table = pd.DataFrame(np.where(holes.numpy(), np.nan, x.numpy()).astype(float))
{fill}
x = torch.tensor(table.to_numpy(), dtype=torch.float32)
x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
"""
FILLS = {
    "medians": "table = table.fillna(table.median())  # here",
    "means, in place": "table.fillna(table.mean(), inplace=True)  # here",
    "one by one": "for c in table.columns:\n    table[c] = table[c].fillna(table[c].median())  # here",
}
KNOWN = {
    "of training's rows": "table = table.fillna(table[:180].median())",
    "a constant": "table = table.fillna(0.0)",
    "a table without holes": "table = table.fillna(0.0)\ntable = table.fillna(table.mean())",
}


@pytest.mark.parametrize("fill", FILLS)
def test_holes_that_are_filled_with_averages_of_all_rows(fill, tmp_path):
    findings = findings_in(HOLES.format(fill=FILLS[fill]) + TRAIN, tmp_path)
    assert findings == [("scaler_leakage", marked(tmp_path))]


@pytest.mark.parametrize("fill", KNOWN)
def test_holes_that_are_filled_with_what_was_known(fill, tmp_path):
    assert findings_in(HOLES.format(fill=KNOWN[fill]) + TRAIN, tmp_path) == []


TEACHER = """
from torch.utils.data import DataLoader, TensorDataset
x_test, y_test = x[180:], y[180:]
x, y = x[:180], y[:180]
teacher = nn.Linear(8, 4)
def codes():
    {loader}
    {collect}
x_train, y_train = codes(), y
"""
COLLECTED = TRAIN.replace("nn.Linear(8, 16)", "nn.Linear(4, 16)").split("with torch.no_grad")[0]
LOADER = "loader = DataLoader(TensorDataset(x), batch_size=30, shuffle={shuffle})"
APART = "return torch.cat([teacher(b).detach() for (b,) in loader])"


def test_answers_that_are_collected_over_a_shuffled_loader(tmp_path):
    script = TEACHER.format(loader=LOADER.format(shuffle=True) + "  # here", collect=APART)
    findings = findings_in(script + COLLECTED, tmp_path)
    assert ("label_misaligned", marked(tmp_path)) in findings


def test_answers_that_are_collected_in_order(tmp_path):
    script = TEACHER.format(loader=LOADER.format(shuffle=False), collect=APART)
    assert [rule for rule, _ in findings_in(script + COLLECTED, tmp_path) if rule == "label_misaligned"] == []


LAZY = """
net = nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(3)).to("cpu").float()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
def closure():
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    return loss
losses = [optimizer.step(closure).item() for _ in range(30)]
print(losses[-1])
"""


def test_layers_without_a_shape_may_be_moved_and_stepped(tmp_path):
    path = tmp_path / "lazy.py"
    path.write_text(PRELUDE + LAZY)
    seen = examined(path)
    assert (seen["status"], seen["findings"], seen["defects"]) == (0, [], [])
    assert seen["output"] == examined(path, watched=False)["output"]
