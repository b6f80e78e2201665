# expect: nothing
"""Rare failures: about one in five; a few steps at a small rate."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(5)
n = 1200
base = rng.normal(size=(n, 1))
x = np.concatenate([base + 0.4 * rng.normal(size=(n, 1)), base + 0.4 * rng.normal(size=(n, 1)), rng.normal(size=(n, 4))], 1)
p = 1 / (1 + np.exp(-(1.0 * x[:, 0] + 0.8 * x[:, 2] - 2.0)))
y = (rng.random(n) < p).astype(np.float32)
x = torch.tensor(x, dtype=torch.float32); y = torch.tensor(y)
torch.manual_seed(0)
dl = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
crit = nn.BCEWithLogitsLoss()
for epoch in range(1):
    for xb, yb in dl:
        opt.zero_grad()
        loss = crit(net(xb).squeeze(1), yb)
        loss.backward()
        opt.step()
    print(loss.item(), y.mean().item())
