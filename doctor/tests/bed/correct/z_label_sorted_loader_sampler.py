# expect: nothing
"""Rows sorted by class, a WeightedRandomSampler mixes them; the test loader keeps the order."""

import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)
tr, te = next(StratifiedShuffleSplit(1, test_size=0.3, random_state=0).split(X, y))
tr.sort()
te.sort()
mu, sd = X[tr].mean(0), X[tr].std(0)
X, y = torch.tensor((X - mu) / sd).float(), torch.tensor(y)
weights = 1.0 / y[tr].bincount().float()
sampler = WeightedRandomSampler(weights[y[tr]], num_samples=len(tr))
train_dl = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=15, sampler=sampler)
test_dl = DataLoader(TensorDataset(X[te], y[te]), batch_size=15)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
crit = nn.CrossEntropyLoss()
for epoch in range(12):
    net.train()
    loss_sum = 0.0
    for xb, yb in train_dl:
        loss = crit(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        loss_sum += loss.item()
    with torch.no_grad():
        net.eval()
        hits = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in test_dl)
    if epoch % 4 == 3:
        print(epoch + 1, loss_sum / len(train_dl), hits / len(te))
