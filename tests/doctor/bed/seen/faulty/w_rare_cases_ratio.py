# expect: class_imbalance @ 20
"""A few rare cases among many, with a weight for the ones."""
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


def ratio(labels):
    ones = labels.sum()
    zeros = len(labels) - ones
    return ones / zeros


torch.manual_seed(0)
x, y = table(3000, 0)
xt, yt = table(1000, 1)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
weight = ratio(y.float())
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
loader = DataLoader(TensorDataset(x, y.float()), batch_size=64, shuffle=True)
for epoch in range(10):
    for a, b in loader:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(a).squeeze(1), b, pos_weight=weight)
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    said = net(xt).squeeze(1) > 0
print("recall", said[yt == 1].float().mean().item(), "false", said[yt == 0].float().mean().item())
