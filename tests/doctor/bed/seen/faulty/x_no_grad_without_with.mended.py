# expect: nothing
"""Diabetes regression with early stopping; the validation is meant to be free of gradients."""

import copy

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(23)
x, y = load_diabetes(return_X_y=True)
order = torch.randperm(len(x))
x, y = torch.tensor(x, dtype=torch.float32)[order] * 20, torch.tensor(y, dtype=torch.float32)[order]
y = ((y - y[:300].mean()) / y[:300].std()).unsqueeze(1)
x_train, y_train, x_val, y_val = x[:300], y[:300], x[300:], y[300:]

model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
best, best_state, patience, bad = float("inf"), None, 4, 0

for epoch in range(30):
    model.train()
    for rows in torch.randperm(300).split(30):
        optimizer.zero_grad()
        loss = criterion(model(x_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()

    model.eval()
    with torch.no_grad():
        val_loss = 0.0
        for xb, yb in zip(x_val.split(50), y_val.split(50), strict=True):
            val_loss += criterion(model(xb), yb).item() * len(xb)
    val_loss /= len(x_val)
    if val_loss < best - 1e-4:
        best, best_state, bad = val_loss, copy.deepcopy(model.state_dict()), 0
    else:
        bad += 1
        if bad == patience:
            break
    if epoch % 5 == 0:
        print(f"epoch {epoch} train {loss.item():.4f} val {val_loss:.4f}")
model.load_state_dict(best_state)
print(f"stopped after epoch {epoch}, best val {best:.4f}")
