# expect: nothing
"""A few rare cases among many, batches drawn with chances of their own."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


def table(n, seed):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.06).astype(np.int64)
    x = rng.normal(size=(n, 6)) + 1.1 * y[:, None] * np.array([1, 1, 0, 1, 0, 0])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Batches:
    def __init__(self, x, y, size, steps, seed=0):
        self.x, self.y, self.size, self.steps = x, y, size, steps
        self.rng = np.random.default_rng(seed)
        labels = y.numpy()
        share = np.bincount(labels) / len(labels)
        p = 1 / share[labels]
        self.p = p / p.sum()

    def __iter__(self):
        for _ in range(self.steps):
            rows = self.rng.choice(len(self.x), self.size, p=self.p)
            yield self.x[rows], self.y[rows]


torch.manual_seed(0)
x, y = table(3000, 0)
xt, yt = table(1000, 1)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for a, b in Batches(x, y, 64, 500):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(a), b)
    loss.backward()
    optimizer.step()
net.eval()
with torch.no_grad():
    said = net(xt).argmax(1)
for k in range(2):
    print(k, (said[yt == k] == k).float().mean().item())
