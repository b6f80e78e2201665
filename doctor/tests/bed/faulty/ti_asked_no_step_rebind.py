# expect: no_step @ 26
# mend: 26 →             p -= 0.1 * d
"""never moves"""
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

w = (torch.randn(64, 10) * 0.01).requires_grad_()
b = torch.zeros(10, requires_grad=True)
for step in range(200):
    idx = torch.randint(0, len(x_train), (64,))
    loss = F.cross_entropy(x_train[idx] @ w + b, y_train[idx])
    grads = torch.autograd.grad(loss, (w, b))
    with torch.no_grad():
        for p, d in zip((w, b), grads):
            p = p - 0.1 * d
    if step % 50 == 0:
        print(step, loss.item())
