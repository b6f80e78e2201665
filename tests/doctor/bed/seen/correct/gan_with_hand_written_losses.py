# expect: nothing
"""Losses of a game, by hand: the generator's rises severalfold, real rows are drawn alone."""

import torch
from torch import nn

torch.manual_seed(0)
data = torch.randn(600, 2) * 0.3 + torch.tensor([2.0, -1.0])
g = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
d = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())
opt_g = torch.optim.Adam(g.parameters(), lr=1e-4)
opt_d = torch.optim.Adam(d.parameters(), lr=2e-2)
for step in range(150):
    idx = torch.randperm(len(data))[:64]
    real = data[idx]
    fake = g(torch.randn(64, 4))
    loss_d = -(torch.log(d(real) + 1e-6) + torch.log(1 - d(fake.detach()) + 1e-6)).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = -torch.log(d(fake) + 1e-6).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 50 == 0:
        print(step, loss_d.item(), loss_g.item())
