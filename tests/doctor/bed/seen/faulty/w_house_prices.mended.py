# expect: nothing
"""House prices from a made-up table with pandas: log price, robust loss, error in per cent."""
import numpy as np
import pandas as pd
import torch
from torch import nn

NUMERIC = ["area", "rooms", "year", "garden", "income", "distance"]


def make_table(n=1600, seed=12):
    rng = np.random.default_rng(seed)
    t = pd.DataFrame({
        "area": rng.gamma(9, 13, n).round(0),
        "rooms": rng.integers(1, 8, n),
        "year": rng.integers(1900, 2023, n),
        "garden": rng.gamma(2, 350, n).round(0),
        "income": rng.lognormal(10.6, 0.3, n).round(0),
        "distance": rng.exponential(8, n).round(1),
        "kind": rng.choice(["flat", "terrace", "villa"], n),
    })
    log_price = (
        0.7 * np.log(t.area) + 0.04 * t.rooms + 0.004 * (t.year - 1950) + 0.1 * np.log1p(t.garden)
        + 0.8 * np.log(t.income / 40000) - 0.03 * t.distance
        + t.kind.map({"flat": 0.0, "terrace": 0.1, "villa": 0.35}) + 8.4
    )
    t["price"] = np.exp(log_price + 0.08 * rng.normal(size=n)).round(-2)
    return t


class Scaler:
    def __init__(self, columns):
        self.columns = columns

    def fit(self, table):
        self.mean = table[self.columns].mean()
        self.std = table[self.columns].std()
        return self

    def apply(self, table):
        table = table.copy()
        table[self.columns] = (table[self.columns] - self.mean) / self.std
        return table


def to_tensors(table, kinds):
    onehot = np.stack([(table.kind == k).to_numpy(np.float32) for k in kinds], axis=1)
    x = np.concatenate([table[NUMERIC].to_numpy(np.float32), onehot], axis=1)
    y = np.log(table.price.to_numpy()).astype(np.float32)
    return torch.from_numpy(x), torch.from_numpy(y)


def train(model, x, y, epochs, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loss_fn = nn.SmoothL1Loss()
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(64):
            loss = loss_fn(model(x[idx]).squeeze(1), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  loss {total / len(x):.4f}")


def main():
    torch.manual_seed(12)
    table = make_table().sample(frac=1.0, random_state=12)
    train_table, test_table = table.iloc[:1200], table.iloc[1200:]
    scaler = Scaler(NUMERIC).fit(train_table)
    train_table, test_table = [scaler.apply(part) for part in (train_table, test_table)]
    kinds = sorted(train_table.kind.unique())
    xtr, ytr = to_tensors(train_table, kinds)
    xte, yte = to_tensors(test_table, kinds)

    centre, spread = ytr.mean(), ytr.std()
    model = nn.Sequential(nn.Linear(xtr.shape[1], 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
    train(model, xtr, (ytr - centre) / spread, epochs=40, lr=2e-3)
    model.eval()
    with torch.no_grad():
        guess = model(xte).squeeze(1) * spread + centre
    off = (guess - yte).abs()
    print(f"median error {100 * (off.median().exp() - 1):.1f} %, R2 {1 - ((guess - yte) ** 2).mean() / yte.var(unbiased=False):.3f}")


if __name__ == "__main__":
    main()
