# expect: nothing
"""The same random validation rows are drawn in each epoch from a seeded generator."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(5):
    for rows in torch.randperm(1400).split(70):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    some = 1400 + torch.randperm(397, generator=torch.Generator().manual_seed(5))[:100]
    with torch.no_grad():
        val_acc = (net(x[some]).argmax(1) == y[some]).float().mean().item()
    print(epoch, val_acc)
