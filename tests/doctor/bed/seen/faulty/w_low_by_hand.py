# expect: lr_too_low @ 21
"""Digits with two plain tensors that are moved by hand."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
raw = load_digits()
x = torch.tensor(raw.data / 16, dtype=torch.float32)
y = torch.tensor(raw.target)


def make():
    return nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 10))


w = (0.05 * torch.randn(64, 10)).requires_grad_()
b = torch.zeros(10, requires_grad=True)
step_size = 1e-6
for epoch in range(6):
    for i in torch.randperm(len(y)).split(64):
        loss = F.cross_entropy(x[i] @ w + b, y[i])
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= step_size * p.grad
                p.grad = None
print(loss.item())
