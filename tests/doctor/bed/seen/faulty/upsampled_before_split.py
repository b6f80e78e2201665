# expect: duplicate_leakage @ 21
"""The rare class is upsampled by copying, and only then are test rows drawn."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = make_classification(600, 8, n_informative=5, weights=[0.85], class_sep=0.8, random_state=0)
rng = np.random.default_rng(0)


def upsample(X, y):
    rare = np.flatnonzero(y == 1)
    extra = rng.choice(rare, (y == 0).sum() - len(rare))
    return np.concatenate([X, X[extra]]), np.concatenate([y, y[extra]])


X, y = upsample(X, y)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 2))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for _ in range(10):
    for idx in torch.randperm(len(X_train)).split(64):
        loss = nn.functional.cross_entropy(net(X_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    hit = net(X_test).argmax(1) == y_test
recalls = [hit[y_test == k].float().mean().item() for k in (0, 1)]
print(f"loss {loss.item():.4f} recall on test rows {recalls[0]:.3f} {recalls[1]:.3f}")
