# expect: metric_wrong_axis @ 22
"""Predictions are collected as arrays and argmax runs along the rows."""

import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
order = np.random.RandomState(0).permutation(150)
X, y = torch.tensor(X[order]).float(), torch.tensor(y[order])
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for _epoch in range(40):
    loss = nn.functional.cross_entropy(net(X[:120]), y[:120])
    opt.zero_grad()
    loss.backward()
    opt.step()
with torch.no_grad():
    scores = net(X[120:]).numpy()
predicted = scores.argmax(axis=0)
print("hits", sum(int(k in predicted) for k in range(3)))
