# expect: nothing
"""Yield of fields: a random split, then a curriculum that begins with the small yields; a few plots by position."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(4)
torch.manual_seed(4)
n = 1200
soil, rain, sun = rng.uniform(0, 1, n), rng.gamma(5, 20, n), rng.normal(1500, 200, n)
tonnes = 2 + 3 * soil + 0.01 * rain + 0.001 * sun + rng.normal(0, 0.3, n)
features = np.column_stack([soil, rain / 100, sun / 1500, soil * rain / 100])
mixed = rng.permutation(n)
cut = int(0.8 * n)
train, test = mixed[:cut], mixed[cut:]
train = train[np.argsort(tonnes[train])]
x, y = torch.tensor(features[train], dtype=torch.float32), torch.tensor(tonnes[train], dtype=torch.float32)
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(30):
    pool = min(cut, 300 + 60 * epoch)
    for idx in torch.randperm(pool).split(64):
        loss = nn.functional.mse_loss(net(x[idx]).squeeze(1), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    said = net(torch.tensor(features[test], dtype=torch.float32)).squeeze(1).numpy()
print("MAE on held-out fields", np.abs(said - tonnes[test]).mean())
