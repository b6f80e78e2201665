"""What the rules' examples share: the start of all of them, which the docs show once and the tests run before
each; and the split, the training and the test of those about held-out rows.
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

HELD_OUT = """\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x_train), y_train)
    loss.backward()
    optimizer.step()
with torch.no_grad():
    accuracy = (net(x_test).argmax(1) == y_test).float().mean()
"""
