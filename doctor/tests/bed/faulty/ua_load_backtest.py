# expect: missing_no_grad @ 68
# allowed: missing_no_grad @ 58
# allowed: missing_no_grad @ 62
# allowed: missing_no_grad @ 70
# allowed: missing_no_grad @ 73
# allowed: missing_no_grad @ 75
# allowed: missing_no_grad @ 116
# mend: 67 + @torch.no_grad()
"""Hourly load forecasting: one-step MLP, applied recursively, judged by a rolling-origin backtest."""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn as nn


@dataclass
class Config:
    lags: int = 48
    horizon: int = 24
    test_days: int = 14
    epochs: int = 12
    batch: int = 64
    lr: float = 2e-3
    seed: int = 5


def make_load(hours: int, seed: int) -> pd.Series:
    rng = np.random.default_rng(seed)
    idx = pd.date_range("2023-01-02", periods=hours, freq="h")
    ar = np.zeros(hours)
    for t in range(1, hours):
        ar[t] = 0.85 * ar[t - 1] + rng.normal(0, 12)
    daily = 120 * np.sin(2 * np.pi * (idx.hour - 7) / 24) + 40 * np.sin(4 * np.pi * idx.hour / 24)
    weekend = np.where(idx.day_of_week >= 5, -90, 0)
    return pd.Series(800 + daily + weekend + ar, index=idx, name="MW")


def calendar(idx: pd.DatetimeIndex) -> np.ndarray:
    """Features of the hour to be forecast; known in advance."""
    ang = 2 * np.pi * idx.hour / 24
    return np.stack([np.sin(ang), np.cos(ang), (idx.day_of_week >= 5).astype(float)], 1).astype(np.float32)


class LagMLP(nn.Module):
    def __init__(self, lags: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(lags + 3, 64), nn.ReLU(), nn.Dropout(0.05), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, window, cal):
        # learn the change against the last known value
        return window[:, -1:] + self.body(torch.cat([window, cal], dim=1))


def recursive_forecast(model, window, cal):
    """Feeds its own forecasts back in; returns [len(cal)] scaled values."""
    out = []
    for step in range(cal.size(0)):
        nxt = model(window, cal[step : step + 1])
        out.append(nxt.squeeze())
        window = torch.cat([window[:, 1:], nxt], dim=1)
    return torch.stack(out)


def backtest(model, z, cal, cfg, sigma):
    """A new 24 h forecast each midnight of the test period, with all the history known by then."""
    model.eval()
    first = len(z) - cfg.test_days * 24
    rows = []
    for origin in range(first, len(z) - cfg.horizon + 1, 24):
        window = z[origin - cfg.lags : origin].unsqueeze(0)
        pred = recursive_forecast(model, window, cal[origin : origin + cfg.horizon])
        truth = z[origin : origin + cfg.horizon]
        naive = z[origin - 24 : origin]
        rows.append({
            "model": (pred - truth).abs().mean().item() * sigma,
            "naive_24h": (naive - truth).abs().mean().item() * sigma,
            "last_hour": (pred[-1] - truth[-1]).abs().item() * sigma,
        })
    return pd.DataFrame(rows)


def train(model, windows, cals, targets, cfg):
    opt = torch.optim.AdamW(model.parameters(), lr=cfg.lr, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=cfg.epochs)
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(targets)).split(cfg.batch):
            loss = nn.functional.l1_loss(model(windows[idx], cals[idx]), targets[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        sched.step()
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  train MAE (scaled) {total / len(targets):.4f}")


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    load = make_load(24 * 7 * 9, cfg.seed)
    n_train = len(load) - cfg.test_days * 24
    mu, sigma = load.iloc[:n_train].mean(), load.iloc[:n_train].std()
    z = torch.tensor(((load - mu) / sigma).to_numpy(), dtype=torch.float32)
    cal = torch.from_numpy(calendar(load.index))

    past = z[:n_train].unfold(0, cfg.lags + 1, 1)
    windows, targets = past[:, :-1], past[:, -1:]
    model = LagMLP(cfg.lags)
    train(model, windows, cal[cfg.lags : n_train], targets, cfg)

    table = backtest(model, z, cal, cfg, float(sigma))
    print(table.describe().loc[["mean", "std", "max"]].round(2).to_string())


if __name__ == "__main__":
    main()
