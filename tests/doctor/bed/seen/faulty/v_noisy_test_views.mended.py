# expect: nothing
"""Gesture recognition from 2-D traces; random rotation and jitter as augmentation in the Dataset."""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Cfg:
    n_train: int = 900
    n_test: int = 300
    jitter: float = 0.35
    max_turn: float = 0.9
    epochs: int = 14
    lr: float = 4e-3


def traces(n, seed):
    g = torch.Generator().manual_seed(seed)
    k = torch.randint(0, 4, (n,), generator=g)
    t = torch.linspace(0, 1, 16).expand(n, 16)
    angle = (k * math.pi / 2)[:, None] * 0.5 + (k.float() - 1.5)[:, None] * t
    xy = torch.stack([t * angle.cos(), t * angle.sin()], 1)
    return xy + 0.08 * torch.randn(xy.shape, generator=g), k


class Gestures(Dataset):
    def __init__(self, n, seed, cfg, augment=True):
        self.x, self.y = traces(n, seed)
        self.cfg, self.augment = cfg, augment

    def __len__(self):
        return len(self.y)

    def distort(self, x):
        a = (torch.rand(()) * 2 - 1) * self.cfg.max_turn
        rot = torch.stack([torch.stack([a.cos(), -a.sin()]), torch.stack([a.sin(), a.cos()])])
        return rot @ x + self.cfg.jitter * torch.randn_like(x)

    def __getitem__(self, i):
        x = self.distort(self.x[i]) if self.augment else self.x[i]
        return x, self.y[i]


class TraceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(2, 24, 3, padding=1), nn.ReLU(), nn.Conv1d(24, 24, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(24 * 16, 4)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


def main(cfg):
    torch.manual_seed(3)
    train = DataLoader(Gestures(cfg.n_train, 1, cfg), batch_size=60, shuffle=True)
    test = DataLoader(Gestures(cfg.n_test, 2, cfg, augment=False), batch_size=100)
    net = TraceNet()
    opt = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        net.train()
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
    net.eval()
    with torch.no_grad():
        acc = sum((net(x).argmax(1) == y).sum().item() for x, y in test) / cfg.n_test
    print(f"train loss {loss.item():.4f} test accuracy {acc:.3f}")


main(Cfg())
