"""hypergradient of the decay"""
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

log_decay = torch.tensor(-4.0, requires_grad=True)
x_valid, y_valid = x_train[1000:], y_train[1000:]
for outer in range(12):
    w = torch.zeros(64, 10, requires_grad=True)
    for inner in range(15):
        loss = F.cross_entropy(x_train[:1000] @ w, y_train[:1000]) + log_decay.exp() * w.pow(2).sum()
        (d,) = torch.autograd.grad(loss, w, create_graph=True)
        w = w - 0.5 * d
    (h,) = torch.autograd.grad(F.cross_entropy(x_valid @ w, y_valid), log_decay)
    with torch.no_grad():
        log_decay -= 20.0 * h
print("decay", log_decay.exp().item())
with torch.no_grad():
    print("test", ((x_test @ w).argmax(1) == y_test).float().mean().item())
