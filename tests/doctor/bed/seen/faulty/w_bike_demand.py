# expect: target_broadcast @ 41
# allowed: target_broadcast @ 52
"""Hourly demand of a bike hire from weather and calendar: log-cosh regression on a pandas table."""
import math

import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

NUMERIC = ["temp", "humidity", "wind", "hour_sin", "hour_cos"]
CATEGORICAL = ["season", "workday"]


def load(n=1800, seed=0):
    rng = np.random.default_rng(seed)
    hour = rng.integers(0, 24, n)
    df = pd.DataFrame({
        "temp": rng.normal(15, 8, n),
        "humidity": rng.uniform(20, 100, n),
        "wind": rng.gamma(2.0, 4.0, n),
        "hour_sin": np.sin(2 * np.pi * hour / 24),
        "hour_cos": np.cos(2 * np.pi * hour / 24),
        "season": rng.choice(["winter", "spring", "summer", "autumn"], n),
        "workday": rng.choice(["yes", "no"], n, p=[0.7, 0.3]),
    })
    base = 180 + 6 * df.temp - 0.9 * df.humidity - 2 * df.wind - 70 * df.hour_cos
    df["rides"] = base + 25 * (df.workday == "yes") + 30 * (df.season == "summer") + rng.normal(0, 15, n)
    return df


def prepare(df):
    train, test = train_test_split(df, test_size=0.2, random_state=0)
    table = ColumnTransformer([("num", StandardScaler(), NUMERIC), ("cat", OneHotEncoder(sparse_output=False), CATEGORICAL)])
    x_train, x_test = table.fit_transform(train), table.transform(test)
    aim = StandardScaler().fit(train[["rides"]])
    tensor = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)
    y_train, y_test = (tensor(aim.transform(part[["rides"]])) for part in (train, test))
    return tensor(x_train), y_train, tensor(x_test), y_test, float(aim.scale_[0])


class Regressor(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, 48), nn.GELU(), nn.Linear(48, 24), nn.GELU())
        self.head = nn.Linear(24, 1)

    def forward(self, x):
        return self.head(self.body(x)).flatten()


def log_cosh(pred, target):
    gap = pred - target
    return (gap + nn.functional.softplus(-2 * gap) - math.log(2)).mean()


def fit(model, x, y, epochs=25):
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(90):
            optimizer.zero_grad()
            log_cosh(model(x[rows]), y[rows]).backward()
            optimizer.step()


def main():
    torch.manual_seed(0)
    x_train, y_train, x_test, y_test, scale = prepare(load())
    model = Regressor(x_train.shape[1])
    fit(model, x_train, y_train)
    with torch.no_grad():
        pred = model.eval()(x_test)
    mae = (pred - y_test.reshape(-1)).abs().mean().item() * scale
    print(f"test MAE {mae:.1f} rides; spread of the target {y_test.std().item() * scale:.1f}")


if __name__ == "__main__":
    main()
