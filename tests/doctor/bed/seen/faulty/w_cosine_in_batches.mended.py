# expect: nothing
"""Gradients of eight small batches for each update; the cosine is counted in batches."""
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


torch.manual_seed(0)
x = torch.randn(512, 9)
y = (x[:, :3].sum(1) > 0).long()
net = nn.Sequential(nn.Linear(9, 24), nn.Tanh(), nn.Linear(24, 2))
EPOCHS, SIZE, EVERY = 10, 8, 8
opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
# one call for each update


# The schedule


n_batches = len(x) // SIZE
schedule = CosineAnnealingLR(opt, T_max=EPOCHS * n_batches // EVERY)
for epoch in range(EPOCHS):
    for k, (xb, yb) in enumerate(batches(x, y, SIZE)):
        loss = nn.functional.cross_entropy(net(xb), yb) / EVERY
        loss.backward()
        if (k + 1) % EVERY == 0:
            opt.step()
            opt.zero_grad()
            schedule.step()
with torch.no_grad():
    print((net(x).argmax(1) == y).float().mean().item())
