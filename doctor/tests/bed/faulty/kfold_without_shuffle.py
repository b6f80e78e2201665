# expect: sorted_split @ 12
# mend: 12 → for fold, (a, b) in enumerate(KFold(n_splits=3, shuffle=True, random_state=0).split(X)):
"""KFold without shuffling on sorted rows: each fold misses a class."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import KFold
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
for fold, (a, b) in enumerate(KFold(n_splits=3).split(X)):
    mu, sd = X[a].mean(0), X[a].std(0)
    xa = torch.tensor((X[a] - mu) / sd, dtype=torch.float32)
    xb = torch.tensor((X[b] - mu) / sd, dtype=torch.float32)
    ya, yb = torch.tensor(y[a]), torch.tensor(y[b])
    net = nn.Linear(13, 3)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(40):
        loss = nn.functional.cross_entropy(net(xa), ya)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        acc = (net(xb).argmax(1) == yb).float().mean()
    print(f"fold {fold}: {acc:.3f}")
