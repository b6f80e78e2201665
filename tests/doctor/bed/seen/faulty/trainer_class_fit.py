# expect: missing_zero_grad @ 37
"""A small trainer class with a config and a history."""

from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Config:
    lr: float = 0.01
    epochs: int = 6
    batch: int = 64
    history: list = field(default_factory=list)


class Trainer:
    def __init__(self, model, cfg):
        self.model, self.cfg = model, cfg
        self.opt = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=0.9)
        self.loss_fn = nn.CrossEntropyLoss()

    def training_step(self, xb, yb):
        return self.loss_fn(self.model(xb), yb)

    def fit(self, x, y):
        self.opt.zero_grad()
        for epoch in range(self.cfg.epochs):
            perm = torch.randperm(len(x))
            total = 0.0
            for idx in perm.split(self.cfg.batch):
                loss = self.training_step(x[idx], y[idx])
                loss.backward()
                self.opt.step()
                total += loss.item() * len(idx)
            self.cfg.history.append(total / len(x))
            print(f"[{epoch}] train loss {self.cfg.history[-1]:.4f}")

    @torch.no_grad()
    def score(self, x, y):
        self.model.eval()
        return (self.model(x).argmax(1) == y).float().mean().item()


torch.manual_seed(7)
x, y = load_breast_cancer(return_X_y=True)
xa, xb, ya, yb = train_test_split(x, y, random_state=7, stratify=y)
sc = StandardScaler().fit(xa)
xa, xb = (torch.tensor(sc.transform(v), dtype=torch.float32) for v in (xa, xb))
trainer = Trainer(nn.Sequential(nn.Linear(30, 16), nn.Tanh(), nn.Linear(16, 2)), Config())
trainer.fit(xa, torch.tensor(ya))
print("held out accuracy", round(trainer.score(xb, torch.tensor(yb)), 3))
