# expect: nan_inputs @ 32
# allowed: nan_inputs @ 29
# allowed: nan_inputs @ 30
# allowed: nan_inputs @ 56
"""Tomorrow's bread sales of a bakery from lags, a rolling mean and the weekday (two years of daily rows)."""
import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

LAGS = (1, 2, 7, 14)


def load_sales(seed=0):
    rng = np.random.default_rng(seed)
    days = pd.date_range("2022-01-03", periods=730, freq="D")
    weekly = np.array([0, 4, 8, 6, 18, 35, 10])[days.day_of_week]
    yearly = 10 * np.sin(2 * np.pi * days.day_of_year / 365.25)
    noise = np.zeros(len(days))
    for t in range(1, len(days)):
        noise[t] = 0.6 * noise[t - 1] + rng.normal(0, 4)
    return pd.DataFrame({"date": days, "sold": (100 + weekly + yearly + noise).round()})


def add_features(df):
    df = df.copy()
    for lag in LAGS:
        df[f"lag_{lag}"] = df["sold"].shift(lag)
    df["mean_7"] = df["sold"].shift(1).rolling(7).mean()
    weekday = pd.DataFrame(np.eye(7)[df["date"].dt.day_of_week], columns=[f"wd_{d}" for d in range(7)], index=df.index)
    return pd.concat([df, weekday], axis=1)


class Forecaster(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, hidden), nn.SiLU(), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def tensors(train, test, columns):
    scale_x, scale_y = StandardScaler().fit(train[columns]), StandardScaler().fit(train[["sold"]])
    out = []
    for part in (train, test):
        x = torch.tensor(scale_x.transform(part[columns]), dtype=torch.float32)
        y = torch.tensor(scale_y.transform(part[["sold"]])[:, 0], dtype=torch.float32)
        out.append((x, y))
    return out, float(scale_y.scale_[0])


def main():
    torch.manual_seed(0)
    table = add_features(load_sales())
    columns = [c for c in table.columns if c not in ("date", "sold")]
    train, test = table[table["date"] < "2023-08-01"], table[table["date"] >= "2023-08-01"]
    ((x_train, y_train), (x_test, y_test)), unit = tensors(train, test, columns)

    model = Forecaster(len(columns))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.MSELoss()
    for epoch in range(30):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x_train)).split(32):
            optimizer.zero_grad()
            loss = criterion(model(x_train[idx]), y_train[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: mse {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        mae = (model(x_test) - y_test).abs().mean().item() * unit
    naive = (test["sold"] - test["lag_7"]).abs().mean()
    print(f"test: mean error {mae:.1f} loaves a day (same day last week: {naive:.1f})")


if __name__ == "__main__":
    main()
