# expect: missing_eval @ 32
"""Five folds of the wine data; each fold's net has batch norm."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch import nn

torch.manual_seed(4)
X, y = load_wine(return_X_y=True)


def make_net():
    return nn.Sequential(nn.Linear(13, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 3))


def train_fold(train_idx, test_idx):
    m, s = X[train_idx].mean(0), X[train_idx].std(0)
    xt = torch.tensor((X[train_idx] - m) / s, dtype=torch.float32)
    xv = torch.tensor((X[test_idx] - m) / s, dtype=torch.float32)
    yt, yv = torch.tensor(y[train_idx]), torch.tensor(y[test_idx])
    net = make_net()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    lossf = nn.CrossEntropyLoss()
    for _epoch in range(12):
        for b in torch.randperm(len(xt)).split(48):
            opt.zero_grad()
            lossf(net(xt[b]), yt[b]).backward()
            opt.step()
    with torch.no_grad():
        out = net(xv)
        return (out.max(1).indices == yv).float().mean().item(), lossf(out, yv).item()


scores = []
folds = StratifiedKFold(5, shuffle=True, random_state=0)
for k, (train_idx, test_idx) in enumerate(folds.split(X, y)):
    scores.append(train_fold(train_idx, test_idx))
    print(f"fold {k}: accuracy {scores[-1][0]:.3f} loss {scores[-1][1]:.3f}")
print("mean accuracy", np.mean([a for a, _ in scores]))
