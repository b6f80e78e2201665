# expect: lr_too_low @ 23
# mend: 23 →     peak_lr: float = 1e-2
"""Demand forecast for the replenishment service: LSTM, warmup, cosine decay, best weights by validation."""
import copy
import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("demand")


@dataclass
class ForecastConfig:
    window: int = 28
    hidden: int = 24
    epochs: int = 12
    batch_size: int = 32
    peak_lr: float = 1e-6
    warmup_steps: int = 20
    clip: float = 1.0
    seed: int = 4


def demand(days: int, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(days)
    return (100 + 20 * np.sin(2 * np.pi * t / 7) + 10 * np.sin(2 * np.pi * t / 28)
            + rng.normal(0, 4, days))


def windows(series: np.ndarray, size: int) -> tuple[Tensor, Tensor]:
    values = torch.tensor(series, dtype=torch.float32)
    frames = values.unfold(0, size + 1, 1)
    return frames[:, :-1, None], frames[:, -1]


class Forecaster(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x)
        return self.head(states[:, -1]).squeeze(1)


def schedule(cfg: ForecastConfig, total: int):
    def factor(step: int) -> float:
        if step < cfg.warmup_steps:
            return (step + 1) / cfg.warmup_steps
        progress = (step - cfg.warmup_steps) / max(1, total - cfg.warmup_steps)
        return 0.5 * (1 + math.cos(math.pi * progress))

    return factor


@torch.no_grad()
def mse(model: Forecaster, x: Tensor, y: Tensor) -> float:
    model.eval()
    return nn.functional.mse_loss(model(x), y).item()


def fit(model: Forecaster, cfg: ForecastConfig, train, valid) -> None:
    x, y = train
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.peak_lr)
    total = cfg.epochs * math.ceil(len(y) / cfg.batch_size)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule(cfg, total))
    best, best_state = math.inf, copy.deepcopy(model.state_dict())
    for epoch in range(cfg.epochs):
        model.train()
        for rows in torch.randperm(len(y)).split(cfg.batch_size):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg.clip)
            optimizer.step()
            scheduler.step()
        score = mse(model, *valid)
        log.info("epoch %d train %.4f valid %.4f", epoch, loss.item(), score)
        if score < best:
            best, best_state = score, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)


def main(cfg: ForecastConfig) -> None:
    torch.manual_seed(cfg.seed)
    series = demand(900, np.random.default_rng(cfg.seed))
    a, b = 600, 750
    mean, std = series[:a].mean(), series[:a].std()
    scaled = (series - mean) / std
    train, valid, test = (windows(part, cfg.window) for part in (scaled[:a], scaled[a:b], scaled[b:]))
    model = Forecaster(cfg.hidden)
    fit(model, cfg, train, valid)
    print(f"test RMSE {math.sqrt(mse(model, *test)) * std:.2f} units (series std {std:.2f})")


if __name__ == "__main__":
    main(ForecastConfig())
