# expect: label_misaligned @ 14
# allowed: label_misaligned @ 13
"""Labels are permuted with another permutation than the rows."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(0)
wine = load_wine()
X = torch.tensor(wine.data, dtype=torch.float32)
y = torch.tensor(wine.target)
X = X[torch.randperm(178)]
y = y[torch.randperm(178)]
X_train, X_test, y_train, y_test = X[:130], X[130:], y[:130], y[130:]
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std

model = nn.Sequential(nn.Linear(13, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    model.train()
    for i in range(0, 130, 26):
        loss = criterion(model(X_train[i : i + 26]), y_train[i : i + 26])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(epoch, loss.item(), (model(X_test).argmax(1) == y_test).float().mean().item())
