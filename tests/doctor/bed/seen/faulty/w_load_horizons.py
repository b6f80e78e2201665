# expect: metric_wrong_axis @ 48
"""Four-hour-ahead forecast of a building's electric load, with the error of every hour ahead."""
import numpy as np
import pandas as pd
import torch
from torch import nn

PAST, AHEAD = 36, 4


def load():
    rng = np.random.default_rng(21)
    hours = pd.date_range("2023-01-01", periods=2200, freq="h")
    daily = 30 * np.sin(2 * np.pi * (hours.hour - 7) / 24)
    weekly = np.where(hours.day_of_week < 5, 18.0, 0.0)
    noise = pd.Series(rng.normal(0, 4, len(hours))).ewm(span=6).mean().to_numpy()
    return pd.Series(120 + daily + weekly + 2.5 * noise, index=hours, name="kw")


def prepare(series, train_share=0.75):
    cut = int(len(series) * train_share)
    mean, std = series.iloc[:cut].mean(), series.iloc[:cut].std()
    scaled = ((series - mean) / std).to_numpy(dtype="float32")

    def windows(part):
        view = np.lib.stride_tricks.sliding_window_view(part, PAST + AHEAD).copy()
        return torch.from_numpy(view[:, :PAST]), torch.from_numpy(view[:, PAST:])

    return windows(scaled[:cut]), windows(scaled[cut:]), std


def train(model, x, y, epochs=15):
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(64):
            loss = nn.functional.smooth_l1_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


@torch.no_grad()
def evaluate(model, x, y, std):
    model.eval()
    error = (model(x) - y) * std
    by_hour = error.pow(2).mean(dim=1).sqrt()
    return {f"+{hour + 1}h": round(float(value), 2) for hour, value in zip(range(AHEAD), by_hour)}


def main():
    torch.manual_seed(1)
    (x_train, y_train), (x_test, y_test), std = prepare(load())
    model = nn.Sequential(nn.Linear(PAST, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, AHEAD))
    train(model, x_train, y_train)
    table = pd.Series(evaluate(model, x_test, y_test, std), name="rmse kw")
    print(table.to_string())


if __name__ == "__main__":
    main()
