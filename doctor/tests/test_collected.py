"""Rows that a table or a loop put together: filled with their own averages, collected out of order; and
layers that get their shape from the first rows."""

import pytest

from treino_doctor.rules.rule import PRELUDE
from zygote import examined, told

TRAIN = """
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(10):
    for rows in torch.randperm(len(x_train)).split(30):
        STEP: F.cross_entropy(net(x_train[rows]), y_train[rows])
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
    "medians": ("scaler_leakage", "table = table.fillna(table.median())  # here"),
    "medians of training's rows": ("", "table = table.fillna(table[:180].median())"),
    "a constant": ("", "table = table.fillna(0.0)"),
    "a table without holes": ("", "table = table.fillna(0.0)\ntable = table.fillna(table.mean())"),
}


@pytest.mark.parametrize(("rule", "fill"), FILLS.values(), ids=FILLS)
def test_holes_are_filled_with_what_was_known_or_with_averages_of_all_rows(rule, fill, tmp_path):
    assert told(HOLES.format(fill=fill) + TRAIN, tmp_path) == rule


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
