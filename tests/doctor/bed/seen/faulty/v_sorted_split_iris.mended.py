# expect: nothing
"""Iris with a small network: the first hundred flowers train, the rest test (forum question)."""
import torch
import torch.nn as nn
from sklearn.datasets import load_iris

torch.manual_seed(0)
iris = load_iris()
X = torch.tensor(iris.data, dtype=torch.float32)
y = torch.tensor(iris.target)

order = torch.randperm(len(X))
X, y = X[order], y[order]
n_train = 100
X_train, X_test = X[:n_train], X[n_train:]
y_train, y_test = y[:n_train], y[n_train:]

mean, std = X_train.mean(0), X_train.std(0)
X_train = (X_train - mean) / std
X_test = (X_test - mean) / std


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 16)
        self.fc2 = nn.Linear(16, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

for epoch in range(60):
    net.train()
    perm = torch.randperm(n_train)
    for i in range(0, n_train, 20):
        idx = perm[i:i + 20]
        optimizer.zero_grad()
        loss = criterion(net(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
    if (epoch + 1) % 20 == 0:
        print("epoch", epoch + 1, "loss", round(loss.item(), 4))

net.eval()
with torch.no_grad():
    correct = (net(X_test).argmax(1) == y_test).sum().item()
print("Test accuracy: %.3f" % (correct / len(y_test)))
