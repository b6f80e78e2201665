"""train with adam, then gradients of rows; validation gradients during training"""
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

net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
params = list(net.parameters())
x_valid, y_valid = x_test[:200], y_test[:200]
alignment = []
for epoch in range(8):
    for idx in torch.randperm(len(x_train)).split(64):
        loss = F.cross_entropy(net(x_train[idx]), y_train[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, d in zip(params, grads):
                p -= 0.2 * d
    vg = torch.autograd.grad(F.cross_entropy(net(x_valid), y_valid), params)
    alignment.append(sum((a * b).sum() for a, b in zip(vg, grads)).item())
print(alignment)
test_grads = torch.autograd.grad(F.cross_entropy(net(x_test[200:]), y_test[200:]), params)
flat = torch.cat([d.flatten() for d in test_grads])
scores = []
for x, y in zip(x_train[:50], y_train[:50]):
    d = torch.autograd.grad(F.cross_entropy(net(x[None]), y[None]), params)
    scores.append((torch.cat([e.flatten() for e in d]) @ flat).item())
net.eval()
with torch.no_grad():
    print("valid", (net(x_valid).argmax(1) == y_valid).float().mean().item(), max(scores))
