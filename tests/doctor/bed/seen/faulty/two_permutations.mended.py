# expect: nothing
# mends: two_permutations.py
"""Features and labels are shuffled by two different permutations."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
np.random.seed(0)
wine = load_wine()
X = (wine.data - wine.data.mean(0)) / wine.data.std(0)
order = np.random.permutation(len(X))
X, y = X[order], wine.target[order]
x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)

net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(10):
    hits = 0
    for start in range(0, 178, 32):
        xb, yb = x[start : start + 32], y[start : start + 32]
        out = net(xb)
        loss = loss_fn(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        hits += (out.argmax(1) == yb).sum().item()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {hits / 178:.3f}")
