"""Gradients of validation rows are only measured, between a training by backward and hand."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
a, b = load_digits(return_X_y=True)
torch.manual_seed(0)
X, y = torch.tensor(a, dtype=torch.float32) / 16, torch.tensor(b)
perm = torch.randperm(len(X)); X, y = X[perm], y[perm]
net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
params = list(net.parameters())
x_valid, y_valid = X[1500:], y[1500:]
for epoch in range(12):
    for idx in torch.randperm(1500).split(50):
        F.cross_entropy(net(X[idx]), y[idx]).backward()
        with torch.no_grad():
            for p in params:
                p -= 0.2 * p.grad
                p.grad = None
    g = torch.autograd.grad(F.cross_entropy(net(x_valid), y_valid), params)
    print("gradient of validation", sum(d.pow(2).sum() for d in g).sqrt().item())
with torch.no_grad():
    print("valid", (net(x_valid).argmax(1) == y_valid).float().mean().item())
