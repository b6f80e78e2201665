# expect: dead_relu @ 19
"""Homework 2: a two-layer network without nn.Module.

Write the forward pass, let autograd do the rest, and train on the digits.
"""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(17)


def dense(n_in, n_out):
    """Weights uniform in [-k, k] with k = sqrt(6 / n_in), biases zero."""
    k = math.sqrt(6.0 / n_in)
    weight = k * (torch.rand(n_in, n_out) - 1)
    bias = torch.zeros(n_out)
    return [weight.requires_grad_(), bias.requires_grad_()]


def forward(params, x):
    w1, b1, w2, b2, w3, b3 = params
    h1 = torch.relu(x @ w1 + b1)
    h2 = torch.relu(h1 @ w2 + b2)
    return h2 @ w3 + b3


def sgd_step(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
            p.grad.zero_()


def minibatches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def accuracy(params, x, y):
    with torch.no_grad():
        return (forward(params, x).argmax(dim=1) == y).float().mean().item()


digits = load_digits()
data = torch.tensor(digits.data, dtype=torch.float32) / digits.data.max()
target = torch.tensor(digits.target)
x_train, x_test, y_train, y_test = train_test_split(
    data, target, test_size=0.25, random_state=17, stratify=target)

params = dense(64, 48) + dense(48, 32) + dense(32, 10)

for epoch in range(15):
    losses = []
    for xb, yb in minibatches(x_train, y_train, 32):
        loss = F.cross_entropy(forward(params, xb), yb)
        loss.backward()
        sgd_step(params, lr=0.1)
        losses.append(loss.item())
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d}  loss {sum(losses) / len(losses):.4f}")

print(f"train accuracy {accuracy(params, x_train, y_train):.3f}")
print(f"test accuracy  {accuracy(params, x_test, y_test):.3f}")
