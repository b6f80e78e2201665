# expect: missing_eval @ 29
# mend: 27 +     net.eval()
"""fc eval"""
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

net = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
weights = {k: v.detach().clone().requires_grad_() for k, v in net.named_parameters()}
for epoch in range(6):
    net.train()
    for idx in torch.randperm(len(x_train)).split(50):
        loss = F.cross_entropy(functional_call(net, weights, (x_train[idx],)), y_train[idx])
        grads = torch.autograd.grad(loss, tuple(weights.values()))
        with torch.no_grad():
            for v, d in zip(weights.values(), grads):
                v -= 0.2 * d
    with torch.no_grad():
        print("test", (functional_call(net, weights, (x_test,)).argmax(1) == y_test).float().mean())
