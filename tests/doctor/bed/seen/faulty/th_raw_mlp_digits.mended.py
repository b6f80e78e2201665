# expect: nothing
"""A three-layer perceptron on digits without nn.Module: parameters in a list, momentum written by hand."""
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def init_params(sizes):
    params = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        scale = math.sqrt(2.0 / n_in)
        w = torch.randn(n_in, n_out) * scale
        b = torch.zeros(n_out)
        params.append((w.requires_grad_(), b.requires_grad_()))
    return params


def predict(params, x):
    for w, b in params[:-1]:
        x = F.relu(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def sgd(params, velocity, lr, mu=0.9):
    with torch.no_grad():
        for layer, vel in zip(params, velocity):
            for p, v in zip(layer, vel):
                v.mul_(mu).add_(p.grad)
                p.sub_(lr * v)
                p.grad = None


def batches(n, size):
    perm = torch.randperm(n)
    for i in range(0, n, size):
        yield perm[i:i + size]


def main():
    torch.manual_seed(4)
    X, y = load_digits(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(X / 16.0 - 0.3, y, test_size=0.25, stratify=y, random_state=4)
    x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_tr, x_te))
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

    params = init_params([64, 48, 32, 10])
    velocity = [tuple(torch.zeros_like(p) for p in layer) for layer in params]
    for epoch in range(15):
        total = 0.0
        for idx in batches(len(x_tr), 32):
            loss = F.cross_entropy(predict(params, x_tr[idx]), y_tr[idx])
            loss.backward()
            sgd(params, velocity, lr=0.03)
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d} loss {total / len(x_tr):.4f}")
    with torch.no_grad():
        acc = (predict(params, x_te).argmax(1) == y_te).float().mean().item()
    print(f"test accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
