# expect: grad_cleared_before_step @ 22
"""Diabetes progression with a small network and Huber loss."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True, scaled=True)
X = torch.tensor(X, dtype=torch.float32) * 20
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
y = (y - y.mean()) / y.std()

net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
loss_fn = nn.HuberLoss()

for epoch in range(30):
    out = net(X)
    loss = loss_fn(out, y)
    loss.backward()
    opt.zero_grad()
    opt.step()
    if epoch % 10 == 0:
        print(f"{epoch:2d} {loss.item():.5f}")
