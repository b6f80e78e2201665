# expect: nothing
# mends: minority_repeated_numpy.py
"""Minority rows are repeated in the whole table before the split."""

import numpy as np
import torch
from sklearn.datasets import make_classification
from torch import nn

np.random.seed(0)
torch.manual_seed(0)
X, y = make_classification(500, 6, n_informative=4, weights=[0.8], random_state=3)
X = X.astype(np.float32)
minority = np.where(y == 1)[0]
X_all, y_all = X, y
perm = np.random.permutation(len(X_all))
split = int(0.75 * len(perm))
train_idx, test_idx = perm[:split], perm[split:]
rare = train_idx[y[train_idx] == 1]
train_idx = np.concatenate([train_idx, rare, rare, rare])

model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))
optim = torch.optim.Adam(model.parameters(), lr=5e-3)
for _epoch in range(10):
    for rows in np.array_split(np.random.permutation(train_idx), 12):
        xb, yb = torch.from_numpy(X_all[rows]), torch.from_numpy(y_all[rows])
        loss = nn.functional.cross_entropy(model(xb), yb)
        optim.zero_grad()
        loss.backward()
        optim.step()
model.eval()
with torch.no_grad():
    predicted = model(torch.from_numpy(X_all[test_idx])).argmax(1).numpy()
print("accuracy", (predicted == y_all[test_idx]).mean())
