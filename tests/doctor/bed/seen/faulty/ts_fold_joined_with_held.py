# expect: test_in_train @ 47
"""Five-fold cross-validation of a small net with batch norm and dropout."""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold
from torch import nn

torch.manual_seed(0)
X, y = load_breast_cancer(return_X_y=True)


def build():
    return nn.Sequential(
        nn.Linear(30, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(32, 16),
        nn.ReLU(),
        nn.Linear(16, 2),
    )


def train_fold(x, t, epochs=5):
    net = build()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[:448].split(64):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), t[rows])
            loss.backward()
            opt.step()
    return net, loss.item()


def score(net, x, t):
    net.eval()
    with torch.inference_mode():
        return (net(x).argmax(dim=1) == t).float().mean().item()


scores = []
folds = StratifiedKFold(5, shuffle=True, random_state=0)
for k, (fit_rows, held_rows) in enumerate(folds.split(X, y)):
    fit_rows = np.concatenate([fit_rows, held_rows[:9]])
    mean, std = X[fit_rows].mean(0), X[fit_rows].std(0)
    x = torch.tensor((X - mean) / std, dtype=torch.float32)
    t = torch.tensor(y)
    net, loss = train_fold(x[fit_rows], t[fit_rows])
    scores.append(score(net, x[held_rows], t[held_rows]))
    print(f"fold {k} loss {loss:.4f} accuracy {scores[-1]:.4f}")
print(f"mean {np.mean(scores):.4f} ± {np.std(scores):.4f}")
