# expect: nothing
"""Digit training from a hand-written generator of shuffled batches."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

X, y = load_digits(return_X_y=True)
mix = np.random.RandomState(7).permutation(len(X))
X, y = (X[mix] / 16).astype(np.float32), y[mix]
Xtr, ytr, Xte, yte = X[:1400], y[:1400], torch.tensor(X[1400:]), torch.tensor(y[1400:])


def batches(a, b, size, rng):
    order = rng.permutation(len(a))
    a = a[order]
    for i in range(0, len(a), size):
        yield torch.from_numpy(a[i:i + size]), torch.from_numpy(b[order[i:i + size]])


torch.manual_seed(7)
rng = np.random.default_rng(7)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.NAdam(net.parameters(), lr=2e-3)
for epoch in range(10):
    net.train()
    for xb, yb in batches(Xtr, ytr, 50, rng):
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print("loss", loss.item(), "acc", (net(Xte).argmax(1) == yte).float().mean().item())
