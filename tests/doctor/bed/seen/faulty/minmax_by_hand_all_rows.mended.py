# expect: nothing
# mends: minmax_by_hand_all_rows.py
"""Columns are brought to 0..1 over the whole table, then cut into three."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
bunch = load_breast_cancer()
X = torch.tensor(bunch.data, dtype=torch.float32)
y = torch.tensor(bunch.target)
order = torch.randperm(569)
low, high = X[order[:369]].min(dim=0).values, X[order[:369]].max(dim=0).values
X = (X - low) / (high - low)
train_set, val_set, test_set = (TensorDataset(X[p], y[p]) for p in order.split([369, 100, 100]))
net = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)


def accuracy(ds):
    net.eval()
    good = 0
    with torch.no_grad():
        for xb, yb in DataLoader(ds, batch_size=50):
            good += (net(xb).argmax(1) == yb).sum().item()
    net.train()
    return good / len(ds)


for epoch in range(6):
    for xb, yb in DataLoader(train_set, batch_size=41, shuffle=True):
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, accuracy(val_set))
print("test", accuracy(test_set))
