# expect: nan_inputs @ 40
# allowed: nan_inputs @ 38
# allowed: nan_inputs @ 39
# allowed: nan_inputs @ 64
# allowed: nan_inputs @ 68
"""Daily sales of twelve shops: lag features by pandas, a small MLP forecasts the next day,
the last six weeks are held back."""
import numpy as np
import pandas as pd
import torch
from torch import nn

LAGS = [1, 2, 7]
HOLDOUT_DAYS = 42


def sales_table(shops=12, days=200, seed=5):
    rng = np.random.default_rng(seed)
    frames = []
    for shop in range(shops):
        day = np.arange(days)
        level = rng.uniform(80, 160)
        week = rng.normal(0, 12, 7)[day % 7]
        drift = np.zeros(days)
        for i in range(1, days):
            drift[i] = 0.8 * drift[i - 1] + rng.normal(0, 5)
        promo = (rng.random(days) < 0.12).astype(float)
        frames.append(pd.DataFrame({"shop": shop, "day": day, "promo": promo,
                                    "sales": level + week + drift + 25 * promo + rng.normal(0, 3, days)}))
    return pd.concat(frames, ignore_index=True)


def add_features(table):
    table = table.sort_values(["shop", "day"]).copy()
    by_shop = table.groupby("shop")["sales"]
    for lag in LAGS:
        table[f"lag_{lag}"] = by_shop.shift(lag)
    table["mean_14"] = by_shop.transform(lambda s: s.shift(1).rolling(14).mean())
    table["same_weekday"] = (by_shop.shift(7) + by_shop.shift(14)) / 2
    return table.dropna(subset=[f"lag_{lag}" for lag in LAGS]).reset_index(drop=True)


def split_by_day(table):
    border = table["day"].max() - HOLDOUT_DAYS
    return table[table["day"] <= border], table[table["day"] > border]


class Standardiser:
    def __init__(self, frame):
        self.mean, self.std = frame.mean(), frame.std()

    def __call__(self, frame):
        return torch.tensor(((frame - self.mean) / self.std).to_numpy(), dtype=torch.float32)


def batches(x, y, size, generator):
    order = torch.randperm(len(x), generator=generator)
    for rows in order.split(size):
        yield x[rows], y[rows]


def main():
    torch.manual_seed(5)
    table = add_features(sales_table())
    train, test = split_by_day(table)
    columns = ["promo", "mean_14", "same_weekday"] + [f"lag_{lag}" for lag in LAGS]
    scale_x, scale_y = Standardiser(train[columns]), Standardiser(train[["sales"]])
    x_train, y_train = scale_x(train[columns]), scale_y(train[["sales"]])
    x_test = scale_x(test[columns])

    model = nn.Sequential(nn.Linear(len(columns), 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.HuberLoss()
    shuffle = torch.Generator().manual_seed(5)
    for epoch in range(15):
        total = 0.0
        for x, y in batches(x_train, y_train, 64, shuffle):
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}  huber {total / len(x_train):.4f}")

    model.eval()
    with torch.no_grad():
        forecast = model(x_test).squeeze(1).numpy() * scale_y.std["sales"] + scale_y.mean["sales"]
    actual = test["sales"].to_numpy()
    naive = test["lag_7"].to_numpy()
    print(f"MAE model {np.abs(forecast - actual).mean():.2f}, last week's value {np.abs(naive - actual).mean():.2f}")


if __name__ == "__main__":
    main()
