# expect: nothing
"""Probabilistic forecasts of hourly demand: a GRU with 10/50/90 per cent heads and the pinball loss."""
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Config:
    context: int = 36
    horizon: int = 6
    hidden: int = 24
    quantiles: list = field(default_factory=lambda: [0.1, 0.5, 0.9])
    lr: float = 5e-3
    epochs: int = 8
    seed: int = 40


def demand(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return 100 + 20 * np.sin(2 * np.pi * t / 24) + 6 * np.cos(2 * np.pi * t / 12) + rng.normal(0, 4, n)


class SeriesWindows(Dataset):
    """Windows whose targets all lie within [start, stop); contexts may reach back before start."""

    def __init__(self, series, start, stop, cfg):
        self.series, self.cfg = torch.tensor(series, dtype=torch.float32), cfg
        self.origins = range(max(start, cfg.context), stop - cfg.horizon + 1)

    def __len__(self):
        return len(self.origins)

    def __getitem__(self, i):
        o = self.origins[i]
        return self.series[o - self.cfg.context:o].unsqueeze(-1), self.series[o:o + self.cfg.horizon]


class QuantileGRU(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.shape = (cfg.horizon, len(cfg.quantiles))
        self.gru = nn.GRU(1, cfg.hidden, batch_first=True)
        self.head = nn.Linear(cfg.hidden, cfg.horizon * len(cfg.quantiles))

    def forward(self, x):
        _, h = self.gru(x)
        return self.head(h[-1]).unflatten(1, self.shape)


def pinball(pred, target, q):
    err = target.unsqueeze(-1) - pred
    return torch.maximum(q * err, (q - 1) * err).sum(-1).mean()


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    series, n_train, n_val = demand(1000, cfg.seed), 700, 850
    mean, std = series[:n_train].mean(), series[:n_train].std()
    z = (series - mean) / std
    train_dl = DataLoader(SeriesWindows(z, 0, n_train, cfg), batch_size=32, shuffle=True)
    val_dl = DataLoader(SeriesWindows(z, n_train, n_val, cfg), batch_size=200)
    test_dl = DataLoader(SeriesWindows(z, n_val, len(z), cfg), batch_size=200)

    model, q = QuantileGRU(cfg), torch.tensor(cfg.quantiles)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    best, best_state = float("inf"), None
    for epoch in range(cfg.epochs):
        model.train()
        for x, y in train_dl:
            loss = pinball(model(x), y, q)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        model.eval()
        with torch.no_grad():
            val = sum(pinball(model(x), y, q).item() * len(y) for x, y in val_dl) / len(val_dl.dataset)
        plateau.step(val)
        if val < best:
            best, best_state = val, {k: v.clone() for k, v in model.state_dict().items()}
        print(f"epoch {epoch + 1} last batch {loss.item():.4f} validation {val:.4f}")

    model.load_state_dict(best_state)
    model.eval()
    with torch.no_grad():
        pred, true = (torch.cat(c) for c in zip(*[(model(x), y) for x, y in test_dl]))
    inside = ((true >= pred[..., 0]) & (true <= pred[..., 2])).float().mean().item()
    mae = (pred[..., 1] - true).abs().mean().item() * std
    print(f"test pinball {pinball(pred, true, q).item():.4f} median MAE {mae:.2f} coverage of 80% band {inside:.3f}")


main()
