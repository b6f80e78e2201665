# expect: sorted_split @ 16
"""Yield of fields in tonnes, table sorted by the yield; MAE by numpy."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(4)
torch.manual_seed(4)
n = 1200
soil, rain, sun = rng.uniform(0, 1, n), rng.gamma(5, 20, n), rng.normal(1500, 200, n)
tonnes = 2 + 3 * soil + 0.01 * rain + 0.001 * sun + rng.normal(0, 0.3, n)
features = np.column_stack([soil, rain, sun, soil * rain])
order = np.argsort(tonnes)
features, tonnes = features[order], tonnes[order]
cut = int(0.8 * n)
x_train, x_test, y_train, y_test = features[:cut], features[cut:], tonnes[:cut], tonnes[cut:]
mean, std = x_train.mean(0), x_train.std(0)
x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
x, y = torch.tensor(x_train, dtype=torch.float32), torch.tensor(y_train, dtype=torch.float32)
net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(30):
    for idx in torch.randperm(cut).split(64):
        loss = nn.functional.mse_loss(net(x[idx]).squeeze(1), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    said = net(torch.tensor(x_test, dtype=torch.float32)).squeeze(1).numpy()
print("MAE on held-out fields", np.abs(said - y_test).mean())
