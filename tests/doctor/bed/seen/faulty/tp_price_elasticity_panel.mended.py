# expect: nothing
"""Log demand of a shop panel as a function of price and promotion; the last weeks are held out."""
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import nn


@dataclass(frozen=True)
class Settings:
    shops: int = 50
    weeks: int = 64
    holdout_weeks: int = 4
    hidden: tuple = field(default=(32, 16))
    epochs: int = 12
    batch_size: int = 100
    lr: float = 4e-3


def panel(s, seed=8):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(s.shops), range(s.weeks)], names=["shop", "week"])
    df = index.to_frame(index=False)
    size = rng.normal(0, 0.5, s.shops)
    elasticity = rng.normal(-1.8, 0.3, s.shops)
    df["log_price"] = rng.normal(0.7, 0.18, len(df))
    df["promo"] = (rng.random(len(df)) < 0.2).astype(float)
    df["footfall"] = size[df.shop] + rng.normal(0, 0.05, len(df))
    season = 0.25 * np.sin(2 * np.pi * df.week / 52)
    mean = 4 + df.footfall + elasticity[df.shop] * df.log_price + 0.6 * df.promo + season
    df["log_units"] = mean + rng.normal(0, 0.12, len(df))
    df["sin"], df["cos"] = np.sin(2 * np.pi * df.week / 52), np.cos(2 * np.pi * df.week / 52)
    return df


def split_by_week(df, s):
    boundary = s.weeks - s.holdout_weeks
    past = df[df["week"] < boundary]
    future = df[df["week"] >= boundary]
    return past, future


class Standardizer:
    def __init__(self, frame):
        self.mean, self.std = frame.mean(), frame.std()

    def __call__(self, frame):
        return torch.tensor(((frame - self.mean) / self.std).to_numpy(), dtype=torch.float32)


def mlp(width_in, hidden):
    layers = []
    for width in hidden:
        layers += [nn.Linear(width_in, width), nn.SiLU()]
        width_in = width
    return nn.Sequential(*layers, nn.Linear(width_in, 1), nn.Flatten(0))


def main(s=Settings()):
    torch.manual_seed(8)
    columns = ["log_price", "promo", "footfall", "sin", "cos"]
    past, future = split_by_week(panel(s), s)
    scale = Standardizer(past[columns])
    level, spread = past["log_units"].mean(), past["log_units"].std()
    x, x_future = scale(past[columns]), scale(future[columns])
    y = torch.tensor(((past["log_units"] - level) / spread).to_numpy(), dtype=torch.float32)
    y_future = torch.tensor(future["log_units"].to_numpy(), dtype=torch.float32)

    net = mlp(len(columns), s.hidden)
    optimizer = torch.optim.Adam(net.parameters(), lr=s.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=s.epochs)
    for epoch in range(1, s.epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(x)).split(s.batch_size):
            loss = nn.functional.mse_loss(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        scheduler.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d}  mse {total / len(x):.4f}")

    with torch.no_grad():
        forecast = net(x_future) * spread + level
    error = (forecast - y_future).abs()
    print(f"holdout weeks {sorted(future['week'].unique().tolist())}")
    print(f"MAE of log units {error.mean():.4f}   always the mean: {(y_future - level).abs().mean():.4f}")


if __name__ == "__main__":
    main()
