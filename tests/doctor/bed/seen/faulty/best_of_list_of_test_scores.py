# expect: selection_on_test @ 32
"""Test accuracies are collected over learning rates and the best is picked with max()."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
scaler = StandardScaler().fit(X_train)
X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


def run(lr):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 2))
    opt = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(40):
        loss = nn.functional.cross_entropy(net(X_train), y_train)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        return (net(X_test).argmax(1) == y_test).float().mean().item()


results = {lr: run(lr) for lr in (0.01, 0.1, 1.0)}
best_lr = max(results, key=results.get)
print("best", best_lr, results[best_lr])
