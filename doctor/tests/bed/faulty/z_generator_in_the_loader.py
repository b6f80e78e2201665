# expect: seed_reset_each_epoch @ 23
# allowed: seed_reset_each_epoch @ 28
# mend: 19 + shared = torch.Generator().manual_seed(42)
# mend: 23 →     g = shared
"""A loader made anew at each epoch with a generator of the same seed."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
perm = torch.randperm(178).numpy()
X, y = X[perm], y[perm]
X = torch.tensor((X - X[:140].mean(0)) / X[:140].std(0), dtype=torch.float32)
y = torch.tensor(y)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.05)


def train_loader():
    g = torch.Generator().manual_seed(42)
    return DataLoader(TensorDataset(X[:140], y[:140]), batch_size=14, shuffle=True, generator=g)


for epoch in range(10):
    for xb, yb in train_loader():
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, loss.item(), (net(X[140:]).argmax(1) == y[140:]).float().mean().item())
