# expect: nothing
"""The best epoch is kept by validation; the test figure at that epoch goes along."""

import copy

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
mean, std = X_train.mean(0), X_train.std(0)


def prepare(features, target):
    return torch.tensor((features - mean) / std, dtype=torch.float32), torch.tensor(target)


train, val, test = prepare(X_train, y_train), prepare(X_val, y_val), prepare(X_test, y_test)
net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.01)


@torch.no_grad()
def accuracy(part):
    x, target = part
    return (net(x).argmax(1) == target).float().mean().item()


best_val = best_test = 0.0
history = []
for _epoch in range(20):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(train[0]), train[1])
    loss.backward()
    opt.step()
    val_acc, test_acc = accuracy(val), accuracy(test)
    history.append((val_acc, test_acc))
    if val_acc > best_val:
        best_val, best_test, state = val_acc, test_acc, copy.deepcopy(net.state_dict())
print(best_val, best_test, "last", history[-1])
