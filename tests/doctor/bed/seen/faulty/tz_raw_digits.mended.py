# expect: nothing
"""Softmax regression + one hidden layer on digits: raw tensors, hand-written momentum SGD."""
import math

import torch
from sklearn.datasets import load_digits

gen = torch.Generator().manual_seed(1234)

bunch = load_digits()
pixels = torch.from_numpy(bunch.data).float().div(16.0)
labels = torch.from_numpy(bunch.target)

perm = torch.randperm(len(labels), generator=gen)
cut = int(0.75 * len(perm))
tr, te = perm[:cut], perm[cut:]
mu = pixels[tr].mean(0)
x_tr, y_tr = pixels[tr] - mu, labels[tr]
x_te, y_te = pixels[te] - mu, labels[te]

D, H, C = 64, 40, 10


def weight(rows, cols):
    w = torch.randn(rows, cols, generator=gen) / math.sqrt(cols)
    return w.requires_grad_()


W1, b1 = weight(H, D), torch.zeros(H, requires_grad=True)
W2, b2 = weight(C, H), torch.zeros(C, requires_grad=True)
theta = [W1, b1, W2, b2]
velocity = [torch.zeros_like(p) for p in theta]


def scores(x):
    """rows of x -> one row of class scores per example, [B, C]"""
    return torch.tanh(x @ W1.T + b1) @ W2.T + b2


def nll(z, y):
    log_p = z - z.logsumexp(dim=1, keepdim=True)
    return -log_p[torch.arange(len(y)), y].mean()


def sgd_step(lr, beta=0.9):
    with torch.no_grad():
        for p, v in zip(theta, velocity):
            v.mul_(beta).add_(p.grad)
            p.sub_(lr * v)
            p.grad = None


def stream(x, y, size, shuffled):
    order = torch.randperm(len(x), generator=gen) if shuffled else torch.arange(len(x))
    for start in range(0, len(x), size):
        take = order[start:start + size]
        yield x[take], y[take]


def count_hits(z, y):
    guesses = z.argmax(dim=1)
    return sum(int(g == t) for g, t in zip(guesses.tolist(), y.tolist()))


def accuracy(x, y, size=10):
    hits = 0
    with torch.no_grad():
        for xb, yb in stream(x, y, size, shuffled=False):
            hits += count_hits(scores(xb), yb)
    return hits / len(y)


for epoch in range(12):
    running, seen = 0.0, 0
    for xb, yb in stream(x_tr, y_tr, 32, shuffled=True):
        loss = nll(scores(xb), yb)
        loss.backward()
        sgd_step(lr=0.05)
        running += loss.item() * len(yb)
        seen += len(yb)
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d}: loss {running / seen:.4f}")

print(f"train accuracy {accuracy(x_tr, y_tr):.3f}")
print(f"test accuracy  {accuracy(x_te, y_te):.3f}")
