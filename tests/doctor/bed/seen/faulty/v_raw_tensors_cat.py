# expect: test_in_train @ 27
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split, KFold
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
x, y = x[order], y[order]
def init(n):
    g = torch.Generator().manual_seed(3)
    w1 = (torch.randn(64, n, generator=g) / 8).requires_grad_()
    b1 = torch.zeros(n, requires_grad=True)
    w2 = (torch.randn(n, 10, generator=g) / n**0.5).requires_grad_()
    b2 = torch.zeros(10, requires_grad=True)
    return [w1, b1, w2, b2]


x_train, y_train, x_test, y_test = x[:1300], y[:1300], x[1300:], y[1300:]
x_all, y_all = torch.cat([x_train, x_test]), torch.cat([y_train, y_test])
params = dict(zip(("w1", "b1", "w2", "b2"), init(40)))
opt = torch.optim.Adam(params.values(), lr=3e-3)


def logits(x):
    h = torch.matmul(x, params["w1"]) + params["b1"]
    return torch.matmul(h.relu(), params["w2"]) + params["b2"]


loader = DataLoader(TensorDataset(x_all, y_all), batch_size=64, shuffle=True)
for epoch in range(3):
    for xb, yb in loader:
        opt.zero_grad()
        F.cross_entropy(logits(xb), yb).backward()
        opt.step()
with torch.no_grad():
    print("held-out", (logits(x_test).argmax(1) == y_test).float().mean().item())
