# expect: lr_too_low @ 19
# needs: torch>=2.0
# mend: 19 → LR = 0.2
"""lr"""
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

LR = 1e-6
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
params = list(net.parameters())
for epoch in range(10):
    for idx in torch.randperm(len(x_train)).split(64):
        loss = F.cross_entropy(net(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, d in zip(params, grads):
                p -= LR * d
    print(epoch, loss.item())
