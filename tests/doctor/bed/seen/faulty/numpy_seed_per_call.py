# expect: seed_reset_each_epoch @ 19
"""train_one_epoch() fixes every seed it knows, and so draws the same noise and order each time."""

import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train_one_epoch(net, opt, x, y, batch_size):
    set_seed(7)
    order = np.random.permutation(len(x))
    losses = []
    for start in range(0, len(x), batch_size):
        idx = order[start : start + batch_size]
        noisy = x[idx] + 0.1 * torch.randn_like(x[idx])
        loss = nn.functional.cross_entropy(net(noisy), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return np.mean(losses)


set_seed(7)
wine = load_wine()
x = torch.tensor((wine.data - wine.data.mean(0)) / wine.data.std(0), dtype=torch.float32)
y = torch.tensor(wine.target)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    print(f"epoch {epoch} loss {train_one_epoch(net, opt, x, y, 30):.4f}")
