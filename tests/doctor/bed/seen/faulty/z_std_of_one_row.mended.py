# expect: nothing
# mends: z_std_of_one_row.py
"""A penalty on the deviation within a class, also where a class has one row in the batch."""

import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(600, 8)
y = (x[:, 0] * 2 + x[:, 1]).round().long().clamp(-4, 4) + 4
net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 9))
opt = torch.optim.SGD(net.parameters(), lr=0.1)


def spread(features, labels):
    parts = []
    for k in labels.unique():
        members = features[labels == k]
        parts.append(
            members.std(dim=0, correction=0).add(1e-6).mean() if len(members) > 1 else members.sum() * 0
        )
    return torch.stack(parts).mean()


for epoch in range(4):
    for rows in torch.randperm(480).split(40):
        out = net(x[rows])
        loss = nn.functional.cross_entropy(out, y[rows]) + 0.01 * spread(out, y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, loss.item(), (net(x[480:]).argmax(1) == y[480:]).float().mean().item())
