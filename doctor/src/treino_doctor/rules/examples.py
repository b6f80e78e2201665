"""Code that the rules' examples share: their first lines, which the docs show once and the tests run before
each; a training script; and the split and test for examples about held-out rows.
"""

PRELUDE = """\
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(240, 8)
y = (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()  # three classes
"""

SPLIT = """\
x_train, y_train, x_test, y_test = x[:180], y[:180], x[180:], y[180:]
"""

DEEP = "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))"
WITH_DROPOUT = "nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3))"
ON_PART = "F.cross_entropy(net(x[:200]), y[:200])"

JUDGED = """\
    with torch.no_grad():
        accuracy = (net(x[200:]).argmax(1) == y[200:]).float().mean()
"""


def script(
    net: str = "nn.Linear(8, 3)",
    loss: str = "F.cross_entropy(net(x), y)",
    settings: str = "lr=0.1",
    steps: int = 10,
) -> str:
    """A correct script that trains a net by a loss."""
    return f"""\
net = {net}
optimizer = torch.optim.SGD(net.parameters(), {settings})
for step in range({steps}):
    optimizer.zero_grad()
    loss = {loss}
    loss.backward()
    optimizer.step()
"""


HELD_OUT = script(loss="F.cross_entropy(net(x_train), y_train)", settings="lr=0.5", steps=40)
HELD_OUT += """\
with torch.no_grad():
    accuracy = (net(x_test).argmax(1) == y_test).float().mean()
"""
