# expect: nothing
# mends: scores_computed_with_graph.py
"""k-fold cross-validation; each fold is scored with gradients recorded."""

import numpy as np
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold
from torch import nn

torch.manual_seed(0)
X, y = load_iris(return_X_y=True)


def build():
    return nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 3))


scores = []
for fold, (tr, te) in enumerate(StratifiedKFold(4, shuffle=True, random_state=0).split(X, y)):
    mu, sd = X[tr].mean(0), X[tr].std(0)
    x_tr = torch.tensor((X[tr] - mu) / sd, dtype=torch.float32)
    x_te = torch.tensor((X[te] - mu) / sd, dtype=torch.float32)
    t_tr, t_te = torch.tensor(y[tr]), torch.tensor(y[te])
    net = build()
    opt = torch.optim.Adam(net.parameters(), lr=0.03)
    net.train()
    for _ in range(50):
        opt.zero_grad()
        nn.functional.cross_entropy(net(x_tr), t_tr).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        score = (net(x_te).argmax(1) == t_te).float().mean().item()
    scores.append(score)
    print(f"fold {fold} accuracy {score:.3f}")
print(f"mean {np.mean(scores):.3f} +/- {np.std(scores):.3f}")
