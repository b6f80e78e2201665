# expect: nothing
"""Rent prediction from a small pandas table with engineered columns."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def make_table(n=900, seed=12):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "area": rng.uniform(20, 140, n),
        "rooms": rng.integers(1, 6, n),
        "balcony": np.maximum(0, rng.normal(2, 4, n)).round(1),
        "garden": np.maximum(0, rng.normal(0, 10, n)).round(1),
        "dist": rng.gamma(2.0, 3.0, n),
    })
    df["rent"] = 6 * df.area + 40 * df.rooms + 9 * df.balcony - 12 * df.dist + rng.normal(0, 30, n)
    return df


def add_features(df):
    df = df.copy()
    df["log_area"] = np.log(df.area)
    df["outdoor_share"] = df.balcony / (df.balcony + df.garden).clip(lower=0.1)
    df["room_size"] = df.area / df.rooms
    return df


def to_tensors(train, test):
    cols = [c for c in train.columns if c != "rent"]
    sx = StandardScaler().fit(train[cols])
    mu, sd = train.rent.mean(), train.rent.std()
    out = []
    for part in (train, test):
        out.append(torch.tensor(sx.transform(part[cols]), dtype=torch.float32))
        out.append(torch.tensor(((part.rent - mu) / sd).to_numpy(), dtype=torch.float32).unsqueeze(1))
    return out


def main():
    torch.manual_seed(12)
    table = add_features(make_table())
    train, test = train_test_split(table, test_size=0.25, random_state=1)
    x, y, xt, yt = to_tensors(train, test)
    net = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    for epoch in range(30):
        total = 0.0
        for idx in torch.randperm(len(x)).split(45):
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} mse {total / 15:.4f}")
    net.eval()
    with torch.no_grad():
        print("test mse", nn.functional.mse_loss(net(xt), yt).item())


main()
