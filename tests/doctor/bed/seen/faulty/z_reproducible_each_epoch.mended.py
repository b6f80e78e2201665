# expect: nothing
# mends: z_reproducible_each_epoch.py
"""A helper that makes everything reproducible, called where each epoch starts."""

import random

import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


set_seed(123)
X, y = load_iris(return_X_y=True)
rows = np.random.permutation(150)
mean, std = X[rows[:110]].mean(0), X[rows[:110]].std(0)
X = torch.tensor((X - mean) / std, dtype=torch.float32)
y = torch.tensor(y)
train = TensorDataset(X[rows[:110]], y[rows[:110]])
model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.CrossEntropyLoss()


def train_epoch(loader):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    return loss.item()


train_loader = DataLoader(train, batch_size=22, shuffle=True)
for epoch in range(12):
    last = train_epoch(train_loader)
    if epoch % 4 == 3:
        model.eval()
        with torch.no_grad():
            acc = (model(X[rows[110:]]).argmax(1) == y[rows[110:]]).float().mean().item()
        print(f"epoch {epoch + 1} loss {last:.4f} acc {acc:.4f}")
