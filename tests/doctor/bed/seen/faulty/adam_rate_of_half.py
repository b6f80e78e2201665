# expect: lr_too_high @ 11
"""Adam at 3 with a loss written by hand: mean squared error never gets below that of a constant."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-2, 2, 256).unsqueeze(1)
y = torch.sin(3 * x)
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
optim = torch.optim.Adam(model.parameters(), lr=3.0)
for step in range(120):
    loss = (model(x) - y).pow(2).mean()
    optim.zero_grad()
    loss.backward()
    optim.step()
    if step % 30 == 29:
        print(step + 1, loss.item())
