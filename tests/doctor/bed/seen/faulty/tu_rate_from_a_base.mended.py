# expect: nothing
"""Digits with a tiny rate, scaled from a base."""
from dataclasses import dataclass
import torch
from sklearn.datasets import load_digits
from torch import nn
torch.manual_seed(4)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
@dataclass
class Config:
    base: float = 0.5
    batch: int = 32
    epochs: int = 10
def scaled(cfg):
    return cfg.base * cfg.batch / 256
cfg = Config()
net = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=scaled(cfg))
for epoch in range(cfg.epochs):
    for rows in torch.randperm(1400).split(cfg.batch):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
print((net(x[1400:]).argmax(1) == y[1400:]).float().mean())
