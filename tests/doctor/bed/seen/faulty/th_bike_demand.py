# expect: nan_inputs @ 43
# allowed: nan_inputs @ 45
"""Demand at a bike-sharing station one hour ahead, from lagged counts in a pandas table."""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

FEATURES = ["hour_sin", "hour_cos", "weekend", "temperature", "level", "level_yesterday", "trend"]


@dataclass
class ForecastConfig:
    days: int = 120
    test_days: int = 24
    hidden: int = 32
    epochs: int = 15
    batch_size: int = 64
    lr: float = 3e-3
    seed: int = 17


def simulate_counts(config: ForecastConfig) -> pd.DataFrame:
    rng = np.random.default_rng(config.seed)
    index = pd.date_range("2024-04-01", periods=24 * config.days, freq="h")
    hour, weekend = index.hour.to_numpy(), (index.dayofweek >= 5).astype(float)
    day = np.repeat(rng.normal(16, 4, config.days), 24)
    temperature = day + 4 * np.sin((hour - 9) / 24 * 2 * np.pi)
    rush = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 17) ** 2) / 6)
    rate = 0.4 + (1 - 0.6 * weekend) * 14 * rush + 5 * np.exp(-((hour - 14) ** 2) / 18) * temperature / 16
    return pd.DataFrame({"count": rng.poisson(np.maximum(rate, 0.1)), "temperature": temperature}, index=index)


def add_features(frame: pd.DataFrame) -> pd.DataFrame:
    out = frame.copy()
    out["hour_sin"] = np.sin(2 * np.pi * out.index.hour / 24)
    out["hour_cos"] = np.cos(2 * np.pi * out.index.hour / 24)
    out["weekend"] = (out.index.dayofweek >= 5).astype(float)
    out["level"] = np.log1p(out["count"])
    out["level_yesterday"] = out["level"].shift(23)
    out["trend"] = out["count"].pct_change()
    out["target"] = np.log1p(out["count"]).shift(-1)
    return out.dropna()


class Forecaster(nn.Module):
    def __init__(self, n_features: int, hidden: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x)).squeeze(-1)


def fit(model: nn.Module, x: torch.Tensor, y: torch.Tensor, config: ForecastConfig) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr)
    model.train()
    for epoch in range(config.epochs):
        total = 0.0
        for idx in torch.randperm(len(x)).split(config.batch_size):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: mean squared error {total / len(x):.4f}")


def main() -> None:
    config = ForecastConfig()
    torch.manual_seed(config.seed)
    table = add_features(simulate_counts(config))
    cut = table.index[-1].normalize() - pd.Timedelta(days=config.test_days)
    past, future = table[table.index < cut], table[table.index >= cut]
    x, x_future = past[FEATURES].to_numpy(), future[FEATURES].to_numpy()
    mean, std = x.mean(axis=0), x.std(axis=0)
    tensor = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)

    model = Forecaster(len(FEATURES), config.hidden)
    fit(model, tensor((x - mean) / std), tensor(past["target"]), config)

    model.eval()
    with torch.no_grad():
        forecast = model(tensor((x_future - mean) / std))
    target = tensor(future["target"])
    naive = tensor(future["level"])
    print(f"error on the last {config.test_days} days: {(forecast - target).abs().mean().item():.3f}", end=" ")
    print(f"(same as this hour: {(naive - target).abs().mean().item():.3f})")


if __name__ == "__main__":
    main()
