# expect: nothing
"""Hyperparameter search over hidden sizes, rates and seeds for a small table; prints the final model's score."""
from itertools import product

import numpy as np
import torch
import torch.nn as nn

rng = np.random.default_rng(26)
n = 260
X = rng.normal(size=(n, 12)).astype(np.float32)
y = ((X[:, 0] - X[:, 1] + 0.8 * X[:, 2] * X[:, 3] + rng.normal(0, 1.6, n)) > 0).astype(np.int64)
X, y = torch.tensor(X), torch.tensor(y)
train, val, test = slice(0, 180), slice(180, 220), slice(220, 260)
mean, std = X[train].mean(0), X[train].std(0)
X = (X - mean) / std


def fit(hidden, lr, seed, epochs=12):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(12, hidden), nn.ReLU(), nn.Linear(hidden, 2))
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    Xt, yt = X[train], y[train]
    for _ in range(epochs):
        net.train()
        for idx in torch.randperm(len(Xt)).split(20):
            opt.zero_grad()
            nn.functional.cross_entropy(net(Xt[idx]), yt[idx]).backward()
            opt.step()
    return net


def score(net, part):
    net.eval()
    with torch.no_grad():
        return (net(X[part]).argmax(1) == y[part]).float().mean().item()


def search():
    best_net, best_score = None, -1.0
    for hidden, lr, seed in product([8, 32, 64], [3e-3, 1e-2], [0, 1, 2]):
        net = fit(hidden, lr, seed)
        s = score(net, val)
        if s > best_score:
            best_net, best_score = net, s
            print(f"hidden {hidden} lr {lr} seed {seed}: {s:.3f}")
    return best_net


final = search()
print(f"train {score(final, train):.3f} val {score(final, val):.3f} test {score(final, test):.3f}")
