# expect: nothing
"""A sweep over network settings for a noisy credit table; the winner and its accuracy are reported."""
import itertools

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.preprocessing import StandardScaler
from torch import nn


def credit_table(n, rng):
    x = rng.normal(size=(n, 12))
    score = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.6 * x[:, 2] * x[:, 3]
    y = (score + rng.normal(0, 1.0, n) > 0).astype(np.int64)
    return x * rng.uniform(0.5, 3.0, 12) + rng.uniform(-2, 2, 12), y


class Credit(nn.Module):
    def __init__(self, hidden, drop):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(12, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, 2))

    def forward(self, x):
        return self.net(x)


def fit(model, x, y, lr, epochs=12):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    return model


@torch.no_grad()
def accuracy(model, x, y):
    model.eval()
    return (model(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(9)
    rng = np.random.default_rng(9)
    X, y = credit_table(1100, rng)
    parts = {"train": slice(0, 600), "valid": slice(600, 850), "test": slice(850, 1100)}
    scaler = StandardScaler().fit(X[parts["train"]])
    data = {
        name: (torch.tensor(scaler.transform(X[s]), dtype=torch.float32), torch.tensor(y[s]))
        for name, s in parts.items()
    }

    grid = itertools.product([8, 32, 64], [0.0, 0.3], [3e-3, 1e-2])
    best = None
    for hidden, drop, lr in grid:
        model = fit(Credit(hidden, drop), *data["train"], lr)
        score = accuracy(model, *data["valid"])
        print(f"hidden {hidden:2d} drop {drop} lr {lr}: {score:.3f}")
        if best is None or score > best[0]:
            best = (score, hidden, drop, lr, model)

    score, hidden, drop, lr, model = best
    print(f"chosen: hidden {hidden}, drop {drop}, lr {lr}, validation accuracy {accuracy(model, *data['valid']):.3f}")
    print(f"test accuracy of the chosen model {accuracy(model, *data['test']):.3f}")


if __name__ == "__main__":
    main()
