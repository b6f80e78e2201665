# expect: clip_too_small @ 21
# allowed: clip_too_small @ 71
# mend: 21 →     grad_clip: float = 1.0
"""Next hour's heat demand from the last day, by an LSTM; the past trains, the latest weeks test."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Settings:
    window: int = 24
    hidden: int = 16
    batch: int = 32
    epochs: int = 6
    lr: float = 0.05
    momentum: float = 0.9
    grad_clip: float = 1e-3
    seed: int = 6


def demand(hours, rng):
    t = np.arange(hours)
    daily = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 1.0)
    noise = np.zeros(hours)
    for i in range(1, hours):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.15)
    return 40 + 9 * (daily + noise)


def windows(series, size):
    rows = np.lib.stride_tricks.sliding_window_view(series, size + 1)
    rows = torch.tensor(rows.copy(), dtype=torch.float32)
    return rows[:, :-1].unsqueeze(-1), rows[:, -1]


class Forecaster(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        y, _ = self.lstm(x)
        return self.out(y[:, -1]).squeeze(-1)


def main(cfg=Settings()):
    torch.manual_seed(cfg.seed)
    series = demand(24 * 60, np.random.default_rng(cfg.seed))
    cut = 24 * 45
    mean, std = series[:cut].mean(), series[:cut].std()
    scaled = (series - mean) / std
    x_tr, y_tr = windows(scaled[:cut], cfg.window)
    x_te, y_te = windows(scaled[cut:], cfg.window)

    model = Forecaster(cfg.hidden)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    loss_fn = nn.MSELoss()
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=cfg.batch, shuffle=True)
    for epoch in range(cfg.epochs):
        model.train()
        losses = []
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg.grad_clip)
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} mse {np.mean(losses):.4f}")

    model.eval()
    with torch.no_grad():
        error = (model(x_te) - y_te).abs().mean().item() * std
    print(f"test MAE {error:.2f} MW, yesterday's same hour {np.abs(series[cut + 24:] - series[cut:-24]).mean():.2f} MW")


if __name__ == "__main__":
    main()
