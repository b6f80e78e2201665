# expect: nothing
# mends: iris_first_hundred.py
"""Iris cut by position: the third species is never trained on."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(0)
iris = load_iris()
order = torch.randperm(150).numpy()
X_train, y_train = iris.data[order[:100]], iris.target[order[:100]]
X_test, y_test = iris.data[order[100:]], iris.target[order[100:]]
mean, std = X_train.mean(0), X_train.std(0)
X_train = torch.tensor((X_train - mean) / std, dtype=torch.float32)
X_test = torch.tensor((X_test - mean) / std, dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for epoch in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(X_train), y_train)
    loss.backward()
    opt.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")
with torch.no_grad():
    print("test accuracy", (net(X_test).argmax(1) == y_test).float().mean().item())
