# expect: nothing
"""Quantile regression: one column of targets against three columns of quantiles, on purpose."""

import torch
from torch import nn

torch.manual_seed(6)
x = torch.rand(600, 1) * 3
y = torch.sin(2 * x) + x * 0.3 * torch.randn_like(x)
q = torch.tensor([0.1, 0.5, 0.9])
net = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)


def pinball(pred, target):
    gap = target - pred  # N x 1 against N x 3
    return torch.maximum(q * gap, (q - 1) * gap).mean()


for _epoch in range(15):
    for rows in torch.randperm(480).split(48):
        opt.zero_grad(set_to_none=True)
        loss = pinball(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
with torch.no_grad():
    out = net(x[480:])
    print("pinball", pinball(out, y[480:]).item())
    print("share below", (y[480:] < out).float().mean(0).tolist())
