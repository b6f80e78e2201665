# expect: nothing
# mends: net_shared_by_all_folds.py
"""k-fold cross-validation that never starts afresh: later folds are tested on rows learnt earlier."""

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)


def build():
    net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    return net, torch.optim.Adam(net.parameters(), lr=0.01)


accuracies = []
for tr, te in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
    net, opt = build()
    mean, std = X[tr].mean(0), X[tr].std(0)
    x_tr, x_te = (torch.tensor((X[rows] - mean) / std, dtype=torch.float32) for rows in (tr, te))
    t_tr, t_te = torch.tensor(y[tr]), torch.tensor(y[te])
    for _ in range(6):
        for idx in torch.randperm(len(tr)).split(24):
            loss = nn.functional.cross_entropy(net(x_tr[idx]), t_tr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
    with torch.no_grad():
        accuracies.append((net(x_te).argmax(1) == t_te).float().mean().item())
    print(f"loss {loss.item():.4f} accuracy {accuracies[-1]:.3f}")
print(f"mean accuracy {sum(accuracies) / 5:.3f}")
