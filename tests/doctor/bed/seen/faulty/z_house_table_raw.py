# expect: unscaled_inputs @ 21
# allowed: unscaled_inputs @ 31
"""House prices from raw columns: square metres, year, distance in metres, income."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
n = 800
area = rng.uniform(30, 250, n)
year = rng.integers(1900, 2020, n)
metres = rng.uniform(50, 30000, n)
income = rng.lognormal(10.3, 0.4, n)
price = 0.01 * area + 0.01 * (year - 1950) - 0.00003 * metres + 0.00002 * income + rng.normal(0, 0.1, n)
table = np.column_stack([area, year, metres, income])
price = (price - price[:600].mean()) / price[:600].std()

torch.manual_seed(0)
X = torch.tensor(table, dtype=torch.float32)
y = torch.tensor(price, dtype=torch.float32).unsqueeze(1)
train_loader = DataLoader(TensorDataset(X[:600], y[:600]), batch_size=30, shuffle=True)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
mse = nn.MSELoss()

for epoch in range(15):
    total = 0.0
    for xb, yb in train_loader:
        loss = mse(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} mse {total / 600:.4f}")

model.eval()
with torch.no_grad():
    print("test mse", mse(model(X[600:]), y[600:]).item())
