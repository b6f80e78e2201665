# expect: nothing
# mends: cosine_horizon_in_epochs.py
"""CosineAnnealingLR made for epochs, stepped per batch by a step() helper."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(480, 6)
y = (x[:, :2].sum(1) > 0).long()
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
EPOCHS = 5
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS)


def update(xb, yb):
    loss = nn.functional.cross_entropy(net(xb), yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


for epoch in range(EPOCHS):
    losses = [update(x[b], y[b]) for b in torch.randperm(480).split(32)]
    sched.step()
    print(epoch, sum(losses) / len(losses), sched.get_last_lr())
