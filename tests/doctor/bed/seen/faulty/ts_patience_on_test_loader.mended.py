# expect: nothing
"""Regression on the diabetes table with patience."""
import copy

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
d = load_diabetes()
order = torch.randperm(len(d.data))
x = torch.tensor(d.data, dtype=torch.float32)[order] * 20
y = torch.tensor(d.target, dtype=torch.float32)[order, None] / 100
train_ds = TensorDataset(x[:260], y[:260])
val_ds = TensorDataset(x[260:350], y[260:350])
test_ds = TensorDataset(x[350:], y[350:])


train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
val_dl = DataLoader(val_ds, batch_size=128)
test_dl = DataLoader(test_ds, batch_size=128)

model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
optim = torch.optim.Adam(model.parameters(), lr=2e-3)
mse = nn.MSELoss()


def evaluate(model, dl):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for xb, yb in dl:
            total += mse(model(xb), yb).item() * len(xb)
    return total / len(dl.dataset)


best_val, wait, best_weights = float("inf"), 0, None
for epoch in range(60):
    model.train()
    for xb, yb in train_dl:
        optim.zero_grad()
        mse(model(xb), yb).backward()
        optim.step()
    val_loss = evaluate(model, val_dl)
    if val_loss < best_val:
        best_val, wait, best_weights = val_loss, 0, copy.deepcopy(model.state_dict())
    else:
        wait += 1
        if wait == 8:
            break
model.load_state_dict(best_weights)
print(f"stopped after {epoch + 1} epochs, test mse {evaluate(model, test_dl):.4f}")
