# expect: selection_on_test @ 48
"""The checkpoint of the best test epoch is kept and its score is the result."""

import copy

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(6)
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=6, stratify=y)
scaler = StandardScaler().fit(X_train)


def loader(X, y, shuffle):
    return DataLoader(
        TensorDataset(torch.tensor(scaler.transform(X)).float(), torch.tensor(y)), 64, shuffle=shuffle
    )


train_loader, test_loader = loader(X_train, y_train, True), loader(X_test, y_test, False)
model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)


def accuracy(net, batches):
    net.eval()
    hits = total = 0
    with torch.no_grad():
        for xb, yb in batches:
            hits += (net(xb).argmax(1) == yb).sum().item()
            total += len(yb)
    return hits / total


best_acc, best_model = 0.0, None
for _epoch in range(10):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(xb), yb).backward()
        optimizer.step()
    acc = accuracy(model, test_loader)
    if acc > best_acc:
        best_acc, best_model = acc, copy.deepcopy(model)
print("best test accuracy", best_acc)
