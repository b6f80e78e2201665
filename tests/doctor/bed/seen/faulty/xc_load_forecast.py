# expect: nan_inputs @ 48
# allowed: nan_inputs @ 40
# allowed: nan_inputs @ 41
# allowed: nan_inputs @ 47
# allowed: non_finite_loss @ 81
# allowed: non_finite_loss @ 84
"""Hourly electricity load, next-hour forecast with a GRU over the last day."""
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Config:
    window: int = 24
    hidden: int = 32
    epochs: int = 5
    lr: float = 5e-3
    batch_size: int = 64
    features: list = field(default_factory=lambda: ["load", "temp", "lag_day", "roll_mean"])


def raw_table(hours=1500, seed=4):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    temp = 12 + 8 * np.sin(2 * np.pi * t / 24) + rng.normal(0, 1.5, hours)
    load = 480 + 90 * np.sin(2 * np.pi * (t - 6) / 24) - 5 * temp + rng.normal(0, 8, hours)
    df = pd.DataFrame({"load": load, "temp": temp}, index=pd.date_range("2023-01-01", periods=hours, freq="h"))
    df.loc[df.index[rng.choice(np.arange(10, hours), 25, replace=False)], "temp"] = np.nan  # sensor drop-outs
    return df


def add_history(df):
    """Only values already known at that hour."""
    return df.assign(
        lag_day=df["load"].shift(24),
        roll_mean=df["load"].rolling(48).mean(),
    )


def prepare(df):
    df["temp"] = df["temp"].ffill()
    df = df.dropna()
    return add_history(df)


class Windows(Dataset):
    def __init__(self, values, window):
        self.values = torch.as_tensor(values, dtype=torch.float32)
        self.window = window

    def __len__(self):
        return len(self.values) - self.window

    def __getitem__(self, i):
        j = i + self.window
        return self.values[i:j], self.values[j, 0]


class Forecaster(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.gru = nn.GRU(n_features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1]).squeeze(-1)


def run_epoch(model, loader, optimizer=None):
    training = optimizer is not None
    model.train(training)
    total, n = 0.0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            loss = nn.functional.mse_loss(model(x), y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
            total += loss.item() * len(y)
            n += len(y)
    return total / n


def main(cfg=Config()):
    torch.manual_seed(0)
    table = prepare(raw_table())[cfg.features]
    cut = int(len(table) * 0.8)
    past, future = table.iloc[:cut], table.iloc[cut:]
    mean, std = past.mean(), past.std()
    train = Windows(((past - mean) / std).to_numpy(), cfg.window)
    test = Windows(((future - mean) / std).to_numpy(), cfg.window)
    train_loader = DataLoader(train, batch_size=cfg.batch_size, shuffle=True)
    test_loader = DataLoader(test, batch_size=256)

    model = Forecaster(len(cfg.features), cfg.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        print(f"epoch {epoch}: train mse {run_epoch(model, train_loader, optimizer):.4f}")
    rmse = run_epoch(model, test_loader) ** 0.5 * std["load"]
    print(f"test rmse {rmse:.2f} MW (load std {std['load']:.1f})")


if __name__ == "__main__":
    main()
