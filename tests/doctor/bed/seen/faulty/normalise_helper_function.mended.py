# expect: nothing
# mends: normalise_helper_function.py
"""A helper standardises whatever it gets, and gets everything."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn


def standardise(table):
    mu = table.mean(dim=0, keepdim=True)
    sigma = table.std(dim=0, keepdim=True)
    return (table - mu) / sigma


def fit(x, y, epochs=30):
    net = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(epochs):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        opt.step()
    return net, loss.item()


torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=False)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor((y - 150) / 77, dtype=torch.float32).reshape(-1, 1)
rows = torch.randperm(442)
train, held = rows[:340], rows[340:]
mean, std = X[train].mean(0), X[train].std(0)
X = (X - mean) / std
net, loss = fit(X[train], y[train])
net.eval()
with torch.no_grad():
    print(loss, nn.functional.mse_loss(net(X[held]), y[held]).item())
