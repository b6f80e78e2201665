# expect: nothing
"""Notebook with loss curves: keeps the history of each batch's loss and prints averages at the end."""
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(150)
X, y = make_moons(800, noise=0.15, random_state=150)
X_train, X_test, y_train, y_test = [torch.tensor(v) for v in train_test_split(X, y, test_size=0.25, random_state=150)]
mu, sd = X_train.mean(0), X_train.std(0)
X_train, X_test = ((X_train - mu) / sd).float(), ((X_test - mu) / sd).float()


class MoonNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x):
        return self.net(x)


class History:
    def __init__(self):
        self.batches = []

    def add(self, loss, n):
        self.batches.append((loss.item(), n))

    def mean(self, last):
        part = self.batches[-last:]
        return sum(l * n for l, n in part) / sum(n for _, n in part)


model, history = MoonNet(), History()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=30, shuffle=True)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(20):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        history.add(loss, len(xb))
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: {float(history.mean(len(loader))):.4f}")

model.eval()
with torch.no_grad():
    acc = (model(X_test).argmax(1) == y_test).float().mean().item()
print(f"test accuracy {acc:.3f}, whole-run loss {float(history.mean(len(history.batches))):.4f}")
