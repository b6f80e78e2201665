# expect: scheduler_misuse @ 23
# allowed: scheduler_misuse @ 27
# mend: 23 →
# mend: 27 +         scheduler.step()
"""The schedule takes its first step before the optimizer's."""

import warnings

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR

warnings.simplefilter("ignore")
torch.manual_seed(2)
x = torch.randn(512, 6)
y = x[:, :1] * x[:, 1:2] + 0.5 * x[:, 2:3]
net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
epochs, per_epoch = 6, 8
scheduler = CosineAnnealingLR(optimizer, T_max=epochs * per_epoch)
for epoch in range(epochs):
    for rows in torch.randperm(448).split(56):
        scheduler.step()
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        held_out = nn.functional.mse_loss(net(x[448:]), y[448:]).item()
    print(f"{epoch} {loss.item():.4f} {held_out:.4f} {scheduler.get_last_lr()[0]:.5f}")
