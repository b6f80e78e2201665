# expect: nothing
"""Time series with lags: rows in time order, test at the end of time, no shuffling."""

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(3)
torch.manual_seed(3)
y = np.zeros(700)
for t in range(2, 700):
    y[t] = 0.6 * y[t - 1] - 0.3 * y[t - 2] + rng.normal()
lags = np.stack([y[i : i + 692] for i in range(8)], 1)
target = y[8:]
X = torch.tensor(lags, dtype=torch.float32)
Y = torch.tensor(target, dtype=torch.float32)
cut = 550
model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for _epoch in range(10):
    for s in range(0, cut, 50):
        pred = model(X[s : s + 50]).squeeze(-1)
        loss = nn.functional.mse_loss(pred, Y[s : s + 50])
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    print(
        "naive",
        (Y[cut:] ** 2).mean().item(),
        "net",
        nn.functional.mse_loss(model(X[cut:]).squeeze(-1), Y[cut:]).item(),
    )
