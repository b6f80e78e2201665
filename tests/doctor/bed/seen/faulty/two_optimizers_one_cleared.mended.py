# expect: nothing
# mends: two_optimizers_one_cleared.py
"""Encoder and head with optimizers of their own."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(11)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(wine.target)

encoder = nn.Sequential(nn.Linear(13, 24), nn.ReLU())
head = nn.Linear(24, 3)
opt_enc = torch.optim.Adam(encoder.parameters(), lr=1e-3)
opt_head = torch.optim.Adam(head.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for it in range(80):
    idx = torch.randint(0, len(x), (32,))
    for opt in (opt_enc, opt_head):
        opt.zero_grad()
    loss = criterion(head(encoder(x[idx])), y[idx])
    loss.backward()
    opt_enc.step()
    opt_head.step()
    if it % 20 == 19:
        print(it + 1, round(loss.item(), 4))
