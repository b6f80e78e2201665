# expect: clip_too_small @ 59
"""One-step-ahead forecasts of a made-up two-season load curve with a GRU, SGD with momentum and clipping."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Settings:
    window: int = 24
    hidden: int = 24
    batch: int = 32
    epochs: int = 8
    lr: float = 0.05
    momentum: float = 0.9
    max_norm: float = 1.0
    weight_decay: float = 1e-4
    train_days: int = 75


def load_curve(days=100, seed=0):
    rng = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    daily = np.sin(2 * np.pi * hour / 24) + 0.5 * np.sin(4 * np.pi * hour / 24 + 0.6)
    weekly = 0.6 * np.cos(2 * np.pi * hour / 168)
    return (50 + 12 * daily + 6 * weekly + 1.0 * rng.standard_normal(len(hour))).astype(np.float32)


class Windows(Dataset):
    def __init__(self, series, width):
        self.series, self.width = torch.from_numpy(series), width

    def __len__(self):
        return len(self.series) - self.width

    def __getitem__(self, i):
        return self.series[i:i + self.width].unsqueeze(-1), self.series[i + self.width]


class Forecaster(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.out(h[-1]).squeeze(-1)


def train_step(model, optimizer, batch, cfg):
    x, y = batch
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), cfg.weight_decay)
    optimizer.step()
    return loss.item()


@torch.no_grad()
def rmse(model, loader):
    model.eval()
    squares = torch.cat([(model(x) - y) ** 2 for x, y in loader])
    return squares.mean().sqrt().item()


def main(cfg=Settings()):
    torch.manual_seed(0)
    series = load_curve()
    cut = 24 * cfg.train_days
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    train_loader = DataLoader(Windows(scaled[:cut], cfg.window), batch_size=cfg.batch, shuffle=True)
    test_loader = DataLoader(Windows(scaled[cut:], cfg.window), batch_size=256)

    model = Forecaster(cfg.hidden)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=cfg.lr, momentum=cfg.momentum, weight_decay=cfg.weight_decay
    )
    for epoch in range(cfg.epochs):
        model.train()
        losses = [train_step(model, optimizer, batch, cfg) for batch in train_loader]
        print(f"epoch {epoch}: mse {np.mean(losses):.4f}")
    print(f"test rmse {rmse(model, test_loader) * std:.3f} (load units, spread {std:.2f})")


if __name__ == "__main__":
    main()
