# expect: sorted_split @ 39
# allowed: sorted_split @ 28
# allowed: sorted_split @ 62
"""Flat prices from an agency's export: log price from size, rooms, age and district, small net against ridge."""
import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import Ridge
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DISTRICTS = ["harbour", "old town", "station", "hill", "west", "airport"]


def agency_export(n=2400, seed=31):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "size": rng.gamma(9, 8.5, n).clip(18, 220),
        "age": rng.integers(0, 90, n),
        "floor": rng.integers(0, 7, n),
        "district": rng.choice(DISTRICTS, n, p=[0.1, 0.15, 0.2, 0.1, 0.3, 0.15]),
    })
    df["rooms"] = (df["size"] / 24 + rng.normal(0, 0.5, n)).round().clip(1, 8)
    premium = df.district.map(dict(zip(DISTRICTS, [0.5, 0.35, 0.0, 0.45, 0.1, -0.25])))
    log_price = (8.3 + 0.95 * np.log(df["size"]) + premium - 0.00012 * df.age * (90 - df.age)
                 + 0.02 * df.floor + rng.normal(0, 0.08, n))
    df["price"] = np.exp(log_price).round(-2)
    return df.sort_values("price", ascending=False, ignore_index=True)


def design(df):
    x = pd.get_dummies(df[["size", "age", "floor", "rooms", "district"]], columns=["district"], dtype=float)
    x["size"] = np.log(x["size"])
    return x


def holdout(df, share=0.2):
    n_test = int(len(df) * share)
    return df.iloc[:-n_test], df.iloc[-n_test:]


def fit(model, loader, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.smooth_l1_loss(model(x).squeeze(-1), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        scheduler.step()
        if (epoch + 1) % 4 == 0:
            print(f"epoch {epoch + 1:2d}  loss {total / len(loader.dataset):.4f}")


def main():
    torch.manual_seed(31)
    df = agency_export()
    train, test = holdout(df)
    x_train, x_test = design(train), design(test).reindex(columns=design(train).columns, fill_value=0.0)
    centre, spread = x_train.mean(), x_train.std()
    x_train, x_test = (x_train - centre) / spread, (x_test - centre) / spread
    y_train, y_test = np.log(train.price), np.log(test.price)
    y_centre, y_spread = y_train.mean(), y_train.std()

    x = torch.tensor(x_train.to_numpy(), dtype=torch.float32)
    y = torch.tensor(((y_train - y_centre) / y_spread).to_numpy(), dtype=torch.float32)
    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    fit(model, DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True), epochs=14)

    model.eval()
    with torch.no_grad():
        out = model(torch.tensor(x_test.to_numpy(), dtype=torch.float32)).squeeze(-1).numpy()
    net_price = np.exp(out * y_spread + y_centre)
    ridge_price = np.exp(Ridge(1.0).fit(x_train, y_train).predict(x_test))
    for name, price in (("net", net_price), ("ridge", ridge_price)):
        error = (np.abs(price - test.price) / test.price).median()
        print(f"{name:5s} median error {100 * error:.1f} % of the price")


if __name__ == "__main__":
    main()
