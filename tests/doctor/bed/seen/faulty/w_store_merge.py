# expect: duplicate_leakage @ 28
# allowed: duplicate_leakage @ 29
"""Sales class of shop visits: the visits are joined with the list of shops and a small net is trained on the joined table."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split


def visits(n=700, shops=40, seed=14):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 10)), columns=[f"m{i}" for i in range(10)])
    table["shop_id"] = rng.integers(0, shops, n)
    signal = 0.9 * table["m0"] - 0.7 * table["m1"] + 0.5 * table["m2"] * table["m3"]
    table["big"] = (signal + rng.normal(0, 0.7, n) > 0).astype(int)
    return table


def shop_list(shops=40, seed=15):
    """The list as exported: one line per shop and per year in which it was renewed."""
    rng = np.random.default_rng(seed)
    first = pd.DataFrame({"shop_id": np.arange(shops), "area": rng.uniform(50, 400, shops), "city": rng.integers(0, 3, shops)})
    return pd.concat([first.assign(year=y) for y in (2019, 2020, 2021, 2022)], ignore_index=True)


def join(left, right):
    right = right.sort_values("year")
    merged = left.merge(right, on="shop_id", how="left")
    return merged.drop(columns=["year", "shop_id"])


def to_tensors(frame):
    train, test = train_test_split(frame, test_size=0.3, stratify=frame["big"], random_state=14)
    dummies = lambda part: pd.get_dummies(part.drop(columns="big"), columns=["city"], dtype=float)
    a, b = dummies(train), dummies(test)
    mean, std = a.mean(), a.std()
    scale = lambda part: torch.tensor(((part - mean) / std).to_numpy(), dtype=torch.float32)
    label = lambda part: torch.tensor(part["big"].to_numpy())
    return scale(a), label(train), scale(b), label(test)


def fit(x, y, steps=400, batch=64):
    net = nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 2))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
    for step in range(steps):
        rows = torch.randint(len(x), (batch,))
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
    return net


def main():
    torch.manual_seed(14)
    frame = join(visits(), shop_list())
    x, y, xt, yt = to_tensors(frame)
    net = fit(x, y)
    net.eval()
    with torch.no_grad():
        for name, a, b in (("train", x, y), ("test", xt, yt)):
            print(f"{name}: {len(b)} rows, accuracy {(net(a).argmax(1) == b).float().mean():.3f}")


if __name__ == "__main__":
    main()
