# expect: nothing
"""Next-day demand of one store from the past two weeks, by a GRU over pandas features."""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn


@dataclass
class Config:
    window: int = 14
    hidden: int = 24
    epochs: int = 12
    batch_size: int = 64
    lr: float = 5e-3
    seed: int = 0


def load_table(days=900, seed=0):
    rng = np.random.default_rng(seed)
    day = np.arange(days)
    weekly = np.array([0.8, 0.9, 1.0, 1.0, 1.2, 1.6, 1.4])[day % 7]
    season = 1 + 0.2 * np.sin(2 * np.pi * day / 60)
    sold = 120 * weekly * season * rng.lognormal(0, 0.08, days)
    return pd.DataFrame({"sold": sold, "weekend": (day % 7 >= 5).astype(float)},
                        index=pd.date_range("2021-01-04", periods=days))


def add_features(frame):
    frame["level"] = frame["sold"].rolling(7).mean()
    frame["ratio"] = frame["sold"] / frame["level"]
    frame["change"] = frame["sold"].pct_change(7)
    frame["target"] = frame["sold"].shift(-1)
    frame = frame.dropna()
    return frame


def windows(values, target, first, last, size):
    x = np.stack([values[i - size + 1:i + 1] for i in range(first, last)])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(target[first:last], dtype=torch.float32)


class DemandGRU(nn.Module):
    def __init__(self, n_features, hidden):
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        states, _ = self.rnn(x)
        return self.out(states[:, -1]).squeeze(1)


def main(cfg=Config()):
    torch.manual_seed(cfg.seed)
    frame = add_features(load_table())
    columns = ["sold", "weekend", "level", "ratio", "change"]
    raw, target = frame[columns].to_numpy(), frame["target"].to_numpy()
    end, cut = len(frame) - 1, int(0.8 * len(frame))
    mean, std = np.nanmean(raw[:cut], axis=0), np.nanstd(raw[:cut], axis=0)
    y_mean, y_std = np.nanmean(target[:cut]), np.nanstd(target[:cut])
    values, scaled = (raw - mean) / std, (target - y_mean) / y_std
    x_train, y_train = windows(values, scaled, cfg.window - 1, cut, cfg.window)
    x_test, y_test = windows(values, scaled, cut + cfg.window, end, cfg.window)

    model = DemandGRU(len(columns), cfg.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(x_train)).split(cfg.batch_size):
            loss = nn.functional.mse_loss(model(x_train[rows]), y_train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: train mse {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        error = (model(x_test) - y_test).abs().mean().item() * y_std
        naive = (x_test[:, -7, 0] * std[0] + mean[0] - (y_test * y_std + y_mean)).abs().mean().item()
    print(f"test MAE {error:.2f} units, same weekday last week {naive:.2f}")


if __name__ == "__main__":
    main()
