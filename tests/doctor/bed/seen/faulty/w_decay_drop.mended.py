# expect: nothing
# mends: w_decay_drop.py
"""Digits with settings in a table."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
raw = load_digits()
x = torch.tensor(raw.data / 16, dtype=torch.float32)
y = torch.tensor(raw.target)


def make():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 10))


cfg = {"lr": 1e-3, "drop": 0.2, "decay": 1e-5}
net = make()
opt = torch.optim.Adam(
    net.parameters(),
    lr=cfg["lr"],
    weight_decay=cfg["decay"],
)
for epoch in range(8):
    for i in torch.randperm(len(y)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(net(x[i]), y[i])
        loss.backward()
        opt.step()
print(loss.item())
