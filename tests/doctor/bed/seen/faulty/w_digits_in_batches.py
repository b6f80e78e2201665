# expect: unshuffled_sorted @ 14
"""Digits in batches from a generator over rows."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, Dataset, WeightedRandomSampler, random_split


import random
from sklearn.datasets import load_digits

def batches(rows, size):
    random.shuffle(list(rows))
    for i in range(0, len(rows), size):
        part = rows[i:i + size]
        yield torch.stack([r[0] for r in part]), torch.tensor([r[1] for r in part])


torch.manual_seed(0)
random.seed(0)
bunch = load_digits(n_class=5)
x, y = torch.tensor(bunch.data / 16, dtype=torch.float32), bunch.target
perm = np.random.default_rng(0).permutation(len(x))
rows = [(x[i], int(y[i])) for i in perm[:700]]
rows = sorted(rows, key=lambda r: r[1])
test = [(x[i], int(y[i])) for i in perm[700:]]
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(6):
    net.train()
    for a, b in batches(rows, 20):
        optimizer.zero_grad()
        F.cross_entropy(net(a), b).backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    a, b = torch.stack([r[0] for r in test]), torch.tensor([r[1] for r in test])
    print("test", (net(a).argmax(1) == b).float().mean().item())
