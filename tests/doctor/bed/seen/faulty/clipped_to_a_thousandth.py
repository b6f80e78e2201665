# expect: clip_too_small @ 15
# allowed: clip_too_small @ 23
"""Gradients clipped to a norm of 0.001 under plain SGD."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
MAX_NORM = 1e-3

for epoch in range(5):
    total = 0.0
    for idx in torch.randperm(len(X)).split(32):
        opt.zero_grad()
        loss = criterion(net(X[idx]), y[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), MAX_NORM)
        opt.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch} loss {total / len(X):.4f}")
