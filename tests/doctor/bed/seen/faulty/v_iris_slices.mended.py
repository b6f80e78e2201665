# expect: nothing
"""Iris course notebook: standardise, split, train, report."""
import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import nn

# %% data
iris = load_iris()
X, y = iris.data.astype("float32"), iris.target
order = np.random.RandomState(0).permutation(len(X))
X, y = X[order], y[order]
cut = int(0.7 * len(X))
X_train, X_test = X[:cut], X[cut:]
y_train, y_test = y[:cut], y[cut:]
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_test = torch.tensor((X_train - mean) / std), torch.tensor((X_test - mean) / std)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

# %% model
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

# %% training
for epoch in range(40):
    model.train()
    perm = torch.randperm(len(X_train))
    for i in range(0, len(perm), 16):
        idx = perm[i:i + 16]
        loss = nn.functional.cross_entropy(model(X_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# %% evaluation
model.eval()
with torch.no_grad():
    print("train", (model(X_train).argmax(1) == y_train).float().mean().item())
    print("test", (model(X_test).argmax(1) == y_test).float().mean().item())
