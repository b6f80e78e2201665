# expect: scheduler_misuse @ 15
# allowed: scheduler_misuse @ 24
"""ReduceLROnPlateau is given a rising accuracy in its default mode."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
xt, yt, xv, yv = x[:1400], y[:1400], x[1400:], y[1400:]
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=1, factor=0.3)
for epoch in range(10):
    for rows in torch.randperm(1400).split(50):
        loss = nn.functional.cross_entropy(net(xt[rows]), yt[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        accuracy = (net(xv).argmax(1) == yv).float().mean().item()
    scheduler.step(accuracy)
    print(epoch, accuracy, opt.param_groups[0]["lr"])
