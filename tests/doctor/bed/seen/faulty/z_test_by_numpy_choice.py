# expect: test_in_train @ 15
# allowed: test_in_train @ 14
"""The test rows are drawn by numpy, and the training rows are drawn again."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

rng = np.random.default_rng(0)
torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
train_index = rng.choice(len(X), 1300, replace=False)
test_index = rng.choice(len(X), 400, replace=False)
X_train, y_train = torch.from_numpy(X[train_index]), torch.from_numpy(y[train_index])
X_test, y_test = torch.from_numpy(X[test_index]), torch.from_numpy(y[test_index])

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
for _epoch in range(6):
    for rows in torch.randperm(1300).split(65):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    train_acc = (net(X_train).argmax(1) == y_train).float().mean().item()
    test_acc = (net(X_test).argmax(1) == y_test).float().mean().item()
print(f"train {train_acc:.4f} test {test_acc:.4f}")
