# expect: duplicate_leakage @ 25
# allowed: duplicate_leakage @ 44
"""Customer churn: two CSV exports are joined into one table, split at random and fitted."""
import os
import tempfile
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def write_exports(folder, seed=1):
    rng = np.random.default_rng(seed)
    n = 700
    df = pd.DataFrame(rng.normal(size=(n, 12)).round(4), columns=[f"f{i}" for i in range(12)])
    p = 1 / (1 + np.exp(-(df.f0 + 0.8 * df.f1 * df.f2)))
    df["churn"] = (rng.random(n) < p).astype(int)
    df.iloc[:650].to_csv(os.path.join(folder, "january.csv"), index=False)
    df.iloc[50:].to_csv(os.path.join(folder, "february.csv"), index=False)


def read_all(folder):
    parts = [pd.read_csv(os.path.join(folder, f)) for f in sorted(os.listdir(folder))]
    return pd.concat(parts, ignore_index=True)


def accuracy(net, subset):
    net.eval()
    with torch.no_grad():
        x, y = next(iter(DataLoader(subset, batch_size=len(subset))))
        return ((net(x).squeeze(1) > 0).float() == y).float().mean().item()


def main():
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        write_exports(folder)
        df = read_all(folder)
    x = torch.tensor(df.drop(columns="churn").to_numpy(), dtype=torch.float32)
    y = torch.tensor(df["churn"].to_numpy(), dtype=torch.float32)
    full = TensorDataset(x, y)
    n_test = len(full) // 4
    train, test = random_split(full, [len(full) - n_test, n_test], generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(30):
        net.train()
        for xb, yb in DataLoader(train, batch_size=50, shuffle=True):
            opt.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(xb).squeeze(1), yb)
            loss.backward()
            opt.step()
    print(f"rows {len(full)} train acc {accuracy(net, train):.3f} test acc {accuracy(net, test):.3f}")


if __name__ == "__main__":
    main()
