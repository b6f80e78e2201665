# expect: nothing
"""Windows of one price, cut with a step of one, are parted into training and test."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
price = np.cumsum(rng.normal(size=1200))
W = 30
X = np.stack([price[i : i + W] for i in range(len(price) - W)])
y = price[W:]

cut = int(0.8 * len(X))
X_train, X_test, y_train, y_test = X[:cut], X[cut:], y[:cut], y[cut:]
mu, sd = X_train.mean(), X_train.std()


def f(a):
    return torch.tensor((a - mu) / sd, dtype=torch.float32)


net = nn.Sequential(nn.Linear(W, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
dl = DataLoader(TensorDataset(f(X_train), f(y_train)[:, None]), 32, shuffle=True)
for epoch in range(15):
    net.train()
    for a, b in dl:
        loss = nn.functional.mse_loss(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print(nn.functional.mse_loss(net(f(X_test)), f(y_test)[:, None]).item())
