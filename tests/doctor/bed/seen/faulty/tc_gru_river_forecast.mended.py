# expect: nothing
"""River level six hours ahead from the last 24 hours with a GRU. Config as a dataclass, validation for the best weights."""
import copy
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    lookback: int = 24
    ahead: int = 6
    hidden: int = 32
    lr: float = 5e-3
    weight_decay: float = 0.2
    epochs: int = 10
    batch_size: int = 64
    seed: int = 16


def river(hours, generator):
    t = torch.arange(hours, dtype=torch.float32)
    tide = torch.sin(2 * math.pi * t / 12.4) + 0.4 * torch.sin(2 * math.pi * t / 24.8)
    rain = (torch.rand(hours, generator=generator) < 0.03).float()
    level = torch.zeros(hours)
    store = 0.0
    for i in range(hours):
        store = 0.92 * store + 0.3 * rain[i].item()
        level[i] = store
    return 4.0 + tide + level + 0.05 * torch.randn(hours, generator=generator)


def windows(series, cfg):
    frame = series.unfold(0, cfg.lookback + cfg.ahead, 1)
    return TensorDataset(frame[:, :cfg.lookback].unsqueeze(-1).contiguous(), frame[:, cfg.lookback:].contiguous())


class Forecaster(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.gru = nn.GRU(1, cfg.hidden, batch_first=True)
        self.head = nn.Sequential(nn.Linear(cfg.hidden, cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, cfg.ahead))

    def forward(self, x):
        _, last = self.gru(x)
        return x[:, -1] + self.head(last[-1])


def make_optimizer(params, weight_decay, lr):
    return torch.optim.AdamW(params, lr=lr, weight_decay=weight_decay)


@torch.no_grad()
def error(model, data):
    model.eval()
    x, y = data.tensors
    return (model(x) - y).pow(2).mean().sqrt().item()


def main(cfg):
    torch.manual_seed(cfg.seed)
    series = river(2200, torch.Generator().manual_seed(cfg.seed))
    parts = series[:1500], series[1500:1800], series[1800:]
    mean, std = parts[0].mean(), parts[0].std()
    train, valid, test = (windows((part - mean) / std, cfg) for part in parts)
    loader = DataLoader(train, batch_size=cfg.batch_size, shuffle=True)

    model = Forecaster(cfg)
    optimizer = make_optimizer(model.parameters(), cfg.weight_decay, cfg.lr)
    best, best_weights = float("inf"), None
    for epoch in range(1, cfg.epochs + 1):
        model.train()
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        now = error(model, valid)
        print(f"epoch {epoch:2d}: validation RMSE {now:.4f}")
        if now < best:
            best, best_weights = now, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    x, y = test.tensors
    naive = (x[:, -1] - y).pow(2).mean().sqrt().item()
    print(f"test RMSE {error(model, test):.4f} (the level stays as it is: {naive:.4f})")


main(Config())
