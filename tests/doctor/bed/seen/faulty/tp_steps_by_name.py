# expect: duplicate_leakage @ 45
"""Failing pumps in a made-up table; a config names the steps of the preparation, in their order."""
import numpy as np
import torch
from torch import nn

SEED = 12


class Repeat:
    """Rare rows several times."""

    def __call__(self, parts):
        for key in ("train",) if "train" in parts else ("all",):
            x, y = parts[key]
            rare = np.flatnonzero(y == 1)
            again = np.repeat(rare, 4)
            parts[key] = np.concatenate([x, x[again]]), np.concatenate([y, y[again]])
        return parts


class Part:
    def __call__(self, parts):
        x, y = parts["all"]
        order = np.random.default_rng(SEED).permutation(len(x))
        n = int(0.75 * len(x))
        return {"train": (x[order[:n]], y[order[:n]]), "test": (x[order[n:]], y[order[n:]])}


class Scale:
    def __call__(self, parts):
        mean, std = parts["train"][0].mean(0), parts["train"][0].std(0)
        return {key: ((x - mean) / std, y) for key, (x, y) in parts.items()}


def measure(n=900):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(n, 10)).astype(np.float32)
    risk = x[:, 0] - x[:, 3] * x[:, 4] + rng.normal(scale=0.7, size=n)
    return x, (risk > 1.6).astype(np.int64)


CONFIG = {
    "lr": 4e-3,
    "steps": [Repeat(), Part(), Scale()],
}


def main():
    torch.manual_seed(SEED)
    parts = {"all": measure()}
    for step in CONFIG["steps"]:
        parts = step(parts)
    x_train, y_train = map(torch.from_numpy, parts["train"])
    x_test, y_test = map(torch.from_numpy, parts["test"])
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=CONFIG["lr"])
    for epoch in range(25):
        net.train()
        for idx in torch.randperm(len(x_train)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x_train[idx]), y_train[idx]).backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        right = (net(x_test).argmax(1) == y_test).float()
    print(f"failing {right[y_test == 1].mean():.3f}  sound {right[y_test == 0].mean():.3f}")


if __name__ == "__main__":
    main()
