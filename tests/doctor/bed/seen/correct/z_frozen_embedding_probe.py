# expect: nothing
"""Pretrain, freeze, cache features under no_grad, then train a linear head on the cache."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.images, dtype=torch.float32).flatten(1) / 16, torch.tensor(d.target)
order = torch.randperm(len(x))
train, test = order[:1300], order[1300:]
encoder = nn.Sequential(nn.Linear(64, 24), nn.ReLU())
decoder = nn.Linear(24, 64)
opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
for _epoch in range(4):
    for rows in train[torch.randperm(1300)].split(65):
        loss = (decoder(encoder(x[rows])) - x[rows]).square().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("reconstruction", loss.item())
for p in encoder.parameters():
    p.requires_grad = False
encoder.eval()
with torch.no_grad():
    features = encoder(x)
head = nn.Linear(24, 10)
opt = torch.optim.Adam(head.parameters(), lr=1e-2)
for _epoch in range(8):
    for rows in train[torch.randperm(1300)].split(130):
        loss = nn.functional.cross_entropy(head(features[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
with torch.no_grad():
    print("probe accuracy", (head(features[test]).argmax(1) == y[test]).float().mean().item())
