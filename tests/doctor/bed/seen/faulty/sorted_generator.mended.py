# expect: nothing
# mends: sorted_generator.py
"""A generator yields slices of arrays that were joined class after class."""

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
torch.manual_seed(0)
parts = [rng.normal(loc=c, scale=0.7, size=(120, 2)) for c in ((0, 0), (2, 1), (-1, 2))]
X = np.concatenate(parts).astype(np.float32)
Y = np.repeat(np.arange(3), 120)


def batches(size):
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        rows = order[start : start + size]
        yield torch.from_numpy(X[rows]), torch.from_numpy(Y[rows])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 32), nn.Linear(32, 3)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for epoch in range(6):
    for xb, yb in batches(20):
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, round(loss.item(), 4))
