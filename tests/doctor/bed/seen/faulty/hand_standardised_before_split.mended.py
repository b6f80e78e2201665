# expect: nothing
# mends: hand_standardised_before_split.py
"""Diabetes, columns standardised by hand over all rows before a random split."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
raw, target = load_diabetes(return_X_y=True, scaled=False)
x = torch.tensor(raw, dtype=torch.float32)
y = torch.tensor(target, dtype=torch.float32).unsqueeze(1) / 100
order = torch.randperm(len(x))
train_rows, test_rows = order[:340], order[340:]
mean, std = x[train_rows].mean(0), x[train_rows].std(0)
x = (x - mean) / std
train_loader = DataLoader(TensorDataset(x[train_rows], y[train_rows]), batch_size=34, shuffle=True)
test_loader = DataLoader(TensorDataset(x[test_rows], y[test_rows]), batch_size=102)

model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
for _epoch in range(10):
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    mse = sum(loss_fn(model(xb), yb).item() for xb, yb in test_loader) / len(test_loader)
print(f"train mse {loss.item():.4f} test mse {mse:.4f}")
