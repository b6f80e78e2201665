# expect: nothing
"""grouped"""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from torch import nn

rng = np.random.default_rng(1)
torch.manual_seed(1)


def jitter(x, scale):
    return x + rng.normal(0, scale, x.shape)


x, y = load_digits(return_X_y=True)
x, y = x[:900] / 16, y[:900]
group = np.tile(np.arange(len(x)), 5)
x, y = np.concatenate([x] + [jitter(x, 0.07) for _ in range(4)]), np.tile(y, 5)
train, test = next(GroupShuffleSplit(1, test_size=0.25, random_state=0).split(x, y, group))
x_train, x_test, y_train, y_test = x[train], x[test], y[train], y[test]
x_train, y_train = torch.tensor(x_train, dtype=torch.float32), torch.tensor(y_train)
x_test, y_test = torch.tensor(x_test, dtype=torch.float32), torch.tensor(y_test)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(10):
    for rows in torch.randperm(len(x_train)).split(32):
        loss = nn.functional.cross_entropy(net(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
net.eval()
with torch.no_grad():
    print("test accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
