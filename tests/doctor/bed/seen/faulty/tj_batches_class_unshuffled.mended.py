# expect: nothing
"""Five kinds of made-up signals; an iterator class hands out batches."""
import numpy as np
import torch
from torch import nn


class Batches:
    def __init__(self, x, y, size, mixed=True):
        self.x, self.y, self.size, self.mixed = x, y, size, mixed

    def __iter__(self):
        order = np.random.permutation(len(self.x)) if self.mixed else np.arange(len(self.x))
        for start in range(0, len(order), self.size):
            at = order[start:start + self.size]
            yield self.x[at], self.y[at]


def signals(each):
    t = np.linspace(0, 1, 24)
    rows = [np.sin(2 * np.pi * (k + 1) * t + np.random.uniform(0, 1)) + 0.4 * np.random.randn(24)
            for k in range(5) for _ in range(each)]
    return torch.tensor(np.array(rows), dtype=torch.float32), torch.arange(5).repeat_interleave(each)


np.random.seed(2)
torch.manual_seed(2)
x, y = signals(120)
x_test, y_test = signals(40)
batches = Batches(x, y, 24)
net = nn.Sequential(nn.Linear(24, 32), nn.Tanh(), nn.Linear(32, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(10):
    for xb, yb in batches:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f}")
with torch.no_grad():
    print(f"test accuracy {(net(x_test).argmax(1) == y_test).float().mean():.3f}")
