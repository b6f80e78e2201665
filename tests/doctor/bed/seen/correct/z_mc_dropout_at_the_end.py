# expect: nothing
"""Dropout left on at test on purpose: the spread of 30 passes is the uncertainty."""

import torch
from torch import nn

torch.manual_seed(8)
x = torch.rand(400, 1) * 8 - 4
y = torch.sin(x) + 0.1 * torch.randn_like(x)
net = nn.Sequential(
    nn.Linear(1, 64),
    nn.ReLU(),
    nn.Dropout(0.1),
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Dropout(0.1),
    nn.Linear(64, 1),
)
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for _epoch in range(12):
    net.train()
    for rows in torch.randperm(400).split(50):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[rows]), y[rows]).backward()
        opt.step()

grid = torch.linspace(-6, 6, 60)[:, None]
net.eval()
for module in net.modules():
    if isinstance(module, nn.Dropout):
        module.train()
with torch.no_grad():
    draws = torch.stack([net(grid) for _ in range(30)])
mean, std = draws.mean(0), draws.std(0)
inside = (grid.abs() < 4).squeeze()
print("rmse inside", (mean[inside] - grid[inside].sin()).square().mean().sqrt().item())
print("spread inside", std[inside].mean().item(), "outside", std[~inside].mean().item())
