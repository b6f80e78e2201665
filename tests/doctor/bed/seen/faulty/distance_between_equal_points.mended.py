# expect: nothing
# mends: distance_between_equal_points.py
"""Siamese pairs: the root of a zero distance has no gradient."""

import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(200, 6)
labels = (points[:, 0] > 0).long()
embed = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.Adam(embed.parameters(), lr=1e-3)


def distance(a, b):
    return (((a - b) ** 2).sum(dim=1) + 1e-8).sqrt()


def contrastive(a, b, same, margin=1.0):
    d = distance(a, b)
    return torch.where(same, d**2, torch.clamp(margin - d, min=0) ** 2).mean()


for it in range(120):
    i = torch.randint(0, 200, (64,))
    j = torch.randint(0, 200, (64,))  # now and then i == j
    loss = contrastive(embed(points[i]), embed(points[j]), labels[i] == labels[j])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 20 == 0:
        print(f"iteration {it} loss {loss.item():.5f}")
