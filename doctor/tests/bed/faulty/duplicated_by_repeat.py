# expect: duplicate_leakage @ 15
# mend: 15 →
# mend: 17 → train, test = random_split(data, [138, len(data) - 138])
"""The whole table is repeated three times before the parts are drawn."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32).log1p()
y = torch.tensor(y)
X, y = X.repeat(3, 1), y.repeat(3)
data = TensorDataset(X, y)
train, test = random_split(data, [400, len(data) - 400])
net = nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(5):
    net.train()
    for xb, yb in DataLoader(train, batch_size=40, shuffle=True):
        opt.zero_grad()
        nn.functional.cross_entropy(net(xb), yb).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        good = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(test, batch_size=50))
    print(epoch, good / len(test))
