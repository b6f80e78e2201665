# expect: label_misaligned @ 12
"""Labels are sorted to look at them, in place."""

import numpy as np
import torch
from sklearn.datasets import make_blobs
from torch import nn

torch.manual_seed(0)
X, y = make_blobs(300, centers=4, random_state=0)
X = (X - X.mean(0)) / X.std(0)
y.sort()
print("labels", np.unique(y, return_counts=True))
X, y = torch.tensor(X).float(), torch.tensor(y)
net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 4))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _epoch in range(10):
    for rows in torch.randperm(300).split(30):
        loss = nn.functional.cross_entropy(net(X[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
print(loss.item())
