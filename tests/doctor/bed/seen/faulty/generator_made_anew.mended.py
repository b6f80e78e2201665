# expect: nothing
# mends: generator_made_anew.py
"""A helper makes a fresh generator with the same seed for every epoch's permutation."""

import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
X, y = make_moons(480, noise=0.2, random_state=0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)


def minibatches(x, y, size, g):
    for idx in torch.randperm(len(x), generator=g).split(size):
        yield x[idx], y[idx]


model = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
g = torch.Generator().manual_seed(0)
for epoch in range(8):
    for xb, yb in minibatches(X, y, 32, g):
        loss = F.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch}: {loss.item():.4f}")
