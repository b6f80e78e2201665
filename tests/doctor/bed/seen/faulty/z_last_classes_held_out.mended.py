# expect: nothing
# mends: z_last_classes_held_out.py
"""Wine: the first 130 rows train, the last ones test, and the file is in the order of its classes."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
order = torch.randperm(len(y)).numpy()
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:130], y[:130], X[130:], y[130:]
mu, sigma = X_train.mean(0), X_train.std(0)


def tensors(a, b):
    return TensorDataset(torch.tensor((a - mu) / sigma, dtype=torch.float32), torch.tensor(b))


train_loader = DataLoader(tensors(X_train, y_train), batch_size=26, shuffle=True)
test_loader = DataLoader(tensors(X_test, y_test), batch_size=48)
model = nn.Sequential(nn.Linear(13, 20), nn.ReLU(), nn.Linear(20, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(12):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        correct = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in test_loader)
    print(f"epoch {epoch} loss {loss.item():.3f} test accuracy {correct / len(X_test):.3f}")
