# expect: nothing
"""A trainer that has a schedule and steps it only where it is asked to."""
from dataclasses import dataclass
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

@dataclass
class Config:
    epochs: int = 4
    lr: float = 0.05
    anneal: bool = False
    patience: int = 6

class Trainer:
    def __init__(self, net, config):
        self.net, self.config = net, config
        self.optimizer = torch.optim.SGD(net.parameters(), lr=config.lr, momentum=0.9)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=config.epochs)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer)
        self.best, self.bad = float("inf"), 0

    def fit(self, x, y):
        for epoch in range(self.config.epochs):
            total = 0.0
            for idx in torch.randperm(len(x)).split(64):
                total += self.batch(x[idx], y[idx])
            self.after_epoch(total)

    def batch(self, x, y):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.net(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def after_epoch(self, total):
        self.bad = 0 if total < self.best else self.bad + 1
        self.best = min(self.best, total)
        self.config.anneal and self.scheduler.step()
        if self.bad > self.config.patience:
            self.plateau.step(total)

torch.manual_seed(1)
d = load_digits()
x = torch.tensor(d.data / 16, dtype=torch.float32)
y = torch.tensor(d.target)
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
t = Trainer(net, Config())
t.fit(x[:1400], y[:1400])
with torch.no_grad():
    print((net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())
