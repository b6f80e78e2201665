# expect: metric_wrong_axis @ 32
"""Outputs are collected in numpy; argmax has no axis."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, random_state=3, stratify=y)
mean, std = X_tr.mean(0), X_tr.std(0)
train = DataLoader(
    TensorDataset(torch.tensor((X_tr - mean) / std).float(), torch.tensor(y_tr)), batch_size=16, shuffle=True
)
test = DataLoader(TensorDataset(torch.tensor((X_te - mean) / std).float(), torch.tensor(y_te)), batch_size=20)


def predict(model, loader):
    model.eval()
    outputs, labels = [], []
    with torch.no_grad():
        for xb, yb in loader:
            outputs.append(torch.softmax(model(xb), dim=1).numpy())
            labels.append(yb.numpy())
    return np.concatenate(outputs), np.concatenate(labels)


def accuracy(probabilities, labels):
    return np.mean(np.argmax(probabilities) == labels)


model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(8):
    model.train()
    for xb, yb in train:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy(*predict(model, test)):.3f}")
