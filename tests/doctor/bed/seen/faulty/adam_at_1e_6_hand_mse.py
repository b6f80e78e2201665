# expect: lr_too_low @ 14
# allowed: missing_no_grad @ 27
"""Adam at 1e-6 for a regression with its own mean squared error."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X = torch.tensor(X * 20, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).view(-1, 1)
net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-6)


def mse(a, b):
    return ((a - b) ** 2).mean()


for epoch in range(15):
    for rows in torch.randperm(len(X)).split(34):
        loss = mse(net(X[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, mse(net(X), y).item())
