# expect: exploding_sum_loss @ 37
# allowed: exploding_sum_loss @ 19
# allowed: non_finite_loss @ 37
# allowed: exploding_sum_loss @ 38
# allowed: exploding_sum_loss @ 47
# allowed: non_finite_loss @ 47
"""Bike-rental demand regression with a small trainer class and a configurable loss."""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    lr: float = 0.05
    batch_size: int = 128
    epochs: int = 15
    seed: int = 3


def make_frame(n=2000, seed=3):
    r = np.random.RandomState(seed)
    df = pd.DataFrame({"hour": r.randint(0, 24, n), "temp": r.normal(18, 8, n), "wind": r.gamma(2, 4, n)})
    df["count"] = 80 + 60 * np.sin(df.hour / 24 * 2 * np.pi - 1.5) + 3 * df.temp - 2 * df.wind + r.normal(0, 8, n)
    return df


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        self.net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
        self.loss = nn.MSELoss(reduction="sum")
        self.opt = torch.optim.SGD(self.net.parameters(), lr=cfg.lr)

    def fit(self, X, y):
        dl = DataLoader(TensorDataset(X, y), batch_size=self.cfg.batch_size, shuffle=True)
        for epoch in range(self.cfg.epochs):
            self.net.train()
            running = 0.0
            for xb, yb in dl:
                self.opt.zero_grad()
                loss = self.loss(self.net(xb).squeeze(-1), yb)
                loss.backward()
                self.opt.step()
                running += loss.item()
            print(f"[{epoch}] {running / len(dl):.4f}")

    def mae(self, X, y):
        self.net.eval()
        with torch.no_grad():
            return (self.net(X).squeeze(-1) - y).abs().mean().item()


df = make_frame().sample(frac=1, random_state=0).reset_index(drop=True)
df["hsin"], df["hcos"] = np.sin(df.hour / 24 * 2 * np.pi), np.cos(df.hour / 24 * 2 * np.pi)
cols = ["hsin", "hcos", "temp", "wind"]
train, test = df.iloc[:1600], df.iloc[1600:]
mu, sd = train[cols].mean(), train[cols].std()
ymu, ysd = train["count"].mean(), train["count"].std()
T = lambda v: torch.tensor(np.asarray(v), dtype=torch.float32)
trainer = Trainer(Config())
trainer.fit(T((train[cols] - mu) / sd), T((train["count"] - ymu) / ysd))
print("test MAE (std units):", round(trainer.mae(T((test[cols] - mu) / sd), T((test["count"] - ymu) / ysd)), 4))
