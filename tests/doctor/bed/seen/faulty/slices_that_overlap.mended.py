# expect: nothing
# mends: slices_that_overlap.py
"""Slices by hand: rows 300 to 400 are in both parts."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
order = torch.randperm(len(X))
X = torch.tensor(X, dtype=torch.float32)[order]
X = (X - X[:400].mean(0)) / X[:400].std(0)
y = torch.tensor((y - 150) / 75, dtype=torch.float32)[order].unsqueeze(1)
x_train, y_train = X[:400], y[:400]
x_test, y_test = X[400:], y[400:]

model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(12):
    for idx in torch.randperm(400).split(40):
        loss = nn.functional.mse_loss(model(x_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            test = nn.functional.mse_loss(model(x_test), y_test).item()
        print(f"epoch {epoch + 1} train mse {loss.item():.4f} test mse {test:.4f}")
