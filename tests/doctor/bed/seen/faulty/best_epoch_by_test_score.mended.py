# expect: nothing
# mends: best_epoch_by_test_score.py
"""The epoch is chosen by the test rows, and the same rows then give the reported figure."""

import copy

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=1)
X_train, X_val, y_train, y_val = train_test_split(X_train, y_train, stratify=y_train, random_state=1)
mean, std = X_train.mean(0), X_train.std(0)


def tensors(features, labels):
    return torch.tensor((features - mean) / std, dtype=torch.float32), torch.tensor(labels)


xa, ya = tensors(X_train, y_train)
xt, yt = tensors(X_test, y_test)
xv, yv = tensors(X_val, y_val)
net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def accuracy(x, labels):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == labels).float().mean().item()


best, best_state = -1.0, None
for epoch in range(15):
    net.train()
    for idx in torch.randperm(len(xa)).split(32):
        loss = nn.functional.cross_entropy(net(xa[idx]), ya[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    score = accuracy(xv, yv)
    if score > best:
        best, best_state = score, copy.deepcopy(net.state_dict())
        print(f"epoch {epoch} new best {best:.3f}")
net.load_state_dict(best_state)
print(f"final test accuracy {accuracy(xt, yt):.3f}")
