# expect: nothing
"""Early stopping that keeps a deep copy of the best net, and files in the order of their numbers."""

import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

rng = np.random.default_rng(3)
runs = {}
for i in range(500):
    kind = int(rng.integers(3))
    runs[f"run{i}"] = (rng.normal(np.eye(3)[kind].repeat(8), 0.8).astype(np.float32), kind)

names = sorted(runs)
x = torch.tensor(np.stack([runs[name][0] for name in names]))
y = torch.tensor([runs[name][1] for name in names])
torch.manual_seed(3)
train, valid, test = random_split(TensorDataset(x, y), [300, 100, 100])
net = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)


def score(model, part):
    model.eval()
    with torch.no_grad():
        return sum((model(a).argmax(1) == b).sum().item() for a, b in DataLoader(part, batch_size=50)) / len(part)


best, kept = 0.0, None
for epoch in range(10):
    net.train()
    for a, b in DataLoader(train, batch_size=25, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        optimizer.step()
    now = score(net, valid)
    if now > best:
        best, kept = now, copy.deepcopy(net)
print(f"validation {best:.3f}, test {score(kept, test):.3f}")
