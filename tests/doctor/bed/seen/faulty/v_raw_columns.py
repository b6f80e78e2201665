# expect: unscaled_inputs @ 30
# allowed: unscaled_inputs @ 38
# allowed: unscaled_inputs @ 39
# allowed: unscaled_inputs @ 40
"""Loan default prediction from a pandas table with a small net."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

FEATURES = ["income", "debt", "age", "late_payments", "ratio"]


def loans(n, seed):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "income": rng.lognormal(10.3, 0.5, n),
        "debt": rng.lognormal(9.0, 0.8, n),
        "age": rng.integers(20, 70, n).astype(float),
        "late_payments": rng.poisson(1.2, n).astype(float),
    })
    df["ratio"] = df.debt / df.income
    score = 2.5 * (df.ratio - 0.35) / 0.35 + 1.6 * (df.late_payments - 1.2) - 0.07 * (df.age - 45)
    df["default"] = (score + rng.logistic(0, 0.5, n) > 0.3).astype(float)
    return df


def as_dataset(df, mean, std):
    x = df[FEATURES].to_numpy(np.float32)
    return TensorDataset(torch.from_numpy(x), torch.tensor(df["default"].to_numpy(), dtype=torch.float32))


def main():
    torch.manual_seed(90)
    train_df, test_df = loans(1200, 1), loans(500, 2)
    mean, std = train_df[FEATURES].mean(), train_df[FEATURES].std()
    train, test = as_dataset(train_df, mean, std), as_dataset(test_df, mean, std)
    loader = DataLoader(train, batch_size=40, shuffle=True)
    model = nn.Sequential(nn.Linear(5, 24), nn.Tanh(), nn.Linear(24, 1))
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(15):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} bce {total / len(loader):.4f}")
    model.eval()
    x, y = test.tensors
    with torch.no_grad():
        p = model(x).squeeze(1) > 0
    print(f"test acc {(p.float() == y).float().mean().item():.3f} base {max(y.mean().item(), 1 - y.mean().item()):.3f}")


main()
