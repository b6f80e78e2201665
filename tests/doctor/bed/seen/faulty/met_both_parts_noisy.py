# expect: duplicate_leakage @ 14
"""Digits and noisy copies of them; figures of both parts come from one line."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
X = (X / 16).astype(np.float32)
X, y = np.concatenate([X, X + 0.02 * rng.normal(size=X.shape).astype(np.float32)]), np.concatenate([y, y])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
a, b = torch.tensor(X_train), torch.tensor(y_train)
for epoch in range(10):
    net.train()
    for i in torch.randperm(len(a)).split(32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a[i]), b[i])
        loss.backward()
        opt.step()
net.eval()
for name, u, v in (("train", X_train, y_train), ("test", X_test, y_test)):
    with torch.no_grad():
        hits = (net(torch.tensor(u)).argmax(1) == torch.tensor(v)).float().mean()
    print(name, hits.item())
