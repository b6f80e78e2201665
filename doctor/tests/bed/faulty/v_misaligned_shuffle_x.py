# missed: label_misaligned @ 17
# mend: 17 → perm = np.random.permutation(len(X))
# mend: 17 + X, y = X[perm], y[perm]
"""Breast-cancer cells: shuffle the arrays, hold out a quarter and fit."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer

np.random.seed(0)
torch.manual_seed(0)

data = load_breast_cancer()
X = data.data.astype("float32")
y = data.target.astype("int64")

np.random.shuffle(X)

split = int(0.75 * len(X))
mu, sigma = X[:split].mean(axis=0), X[:split].std(axis=0)
X = torch.from_numpy((X - mu) / sigma)
y = torch.from_numpy(y)
X_train, X_test, y_train, y_test = X[:split], X[split:], y[:split], y[split:]

model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(20):
    model.train()
    order = torch.randperm(split)
    total = 0.0
    for chunk in order.split(32):
        opt.zero_grad()
        loss = criterion(model(X_train[chunk]), y_train[chunk])
        loss.backward()
        opt.step()
        total += loss.item() * len(chunk)
    if epoch % 5 == 4:
        model.eval()
        with torch.no_grad():
            acc = (model(X_test).argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch + 1:2d} loss {total / split:.4f} test acc {acc:.3f}")
