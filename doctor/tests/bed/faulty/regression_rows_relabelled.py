# expect: label_misaligned @ 16
# mend: 16 →     order = torch.randperm(400)
# mend: 17 →     xs, ys = x[order], y[order]
"""Each epoch draws one order for the rows and another for their targets."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x @ torch.randn(6, 1)).tanh()
net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
mse = nn.MSELoss()
for epoch in range(8):
    xs = x[torch.randperm(400)]
    ys = y[torch.randperm(400)]
    for xb, yb in zip(xs.split(40), ys.split(40), strict=False):
        opt.zero_grad()
        loss = mse(net(xb), yb)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
