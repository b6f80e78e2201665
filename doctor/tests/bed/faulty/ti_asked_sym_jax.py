# missed: symmetric_init @ 26
# mend: 26 →     raw = Weights(0.1 * torch.randn(64, 20), torch.zeros(20), 0.1 * torch.randn(20, 10))
"""sym jax"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call
from sklearn.datasets import load_digits, load_wine, load_breast_cancer, load_diabetes, load_iris

images, digits = load_digits(return_X_y=True)
g = torch.Generator().manual_seed(0)
perm = torch.randperm(len(images), generator=g)
X = torch.tensor(images, dtype=torch.float32)[perm] / 16
y = torch.tensor(digits)[perm]
x_train, y_train, x_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]
torch.manual_seed(1)

from typing import NamedTuple

class Weights(NamedTuple):
    inner: torch.Tensor
    bias: torch.Tensor
    outer: torch.Tensor

def start():
    raw = Weights(0.1 * torch.ones(64, 20), torch.zeros(20), 0.1 * torch.ones(20, 10))
    return Weights(*(t.requires_grad_() for t in raw))

def scores(w, x):
    return torch.tanh(x @ w.inner + w.bias) @ w.outer

def descend(w, grads, lr=0.3):
    return Weights(*((t - lr * d).detach().requires_grad_() for t, d in zip(w, grads)))

w = start()
for step in range(200):
    idx = torch.randint(0, len(x_train), (64,))
    loss = F.cross_entropy(scores(w, x_train[idx]), y_train[idx])
    w = descend(w, torch.autograd.grad(loss, w))
print(loss.item())
