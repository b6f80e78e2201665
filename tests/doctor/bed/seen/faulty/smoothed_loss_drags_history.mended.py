# expect: nothing
# mends: smoothed_loss_drags_history.py
"""An exponentially smoothed loss for the progress line, fed with the tensor itself."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-3, 3, 500)[:, None]
y = torch.sin(2 * x) + 0.05 * torch.randn_like(x)
net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
smooth, beta = None, 0.95

for i in range(200):
    idx = torch.randint(0, 500, (64,))
    loss = F.mse_loss(net(x[idx]), y[idx])
    opt.zero_grad()
    loss.backward()
    opt.step()
    smooth = loss.item() if smooth is None else beta * smooth + (1 - beta) * loss.item()
    if i % 40 == 39:
        print(f"iter {i + 1} smoothed loss {smooth:.5f}")
