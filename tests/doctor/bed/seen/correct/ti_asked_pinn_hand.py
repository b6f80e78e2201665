"""pinn by hand adam"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call
from sklearn.datasets import load_digits, load_wine, load_breast_cancer, load_diabetes, load_iris


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
params = list(net.parameters())
m, s = [torch.zeros_like(p) for p in params], [torch.zeros_like(p) for p in params]
for step in range(1, 401):
    t = torch.rand(64, 1, requires_grad=True) * 4
    u = net(t)
    du = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), t, create_graph=True)[0]
    zero = torch.zeros(1, 1, requires_grad=True)
    u0 = net(zero)
    d0 = torch.autograd.grad(u0, zero, create_graph=True)[0]
    loss = (ddu + u).pow(2).mean() + (u0 - 1).pow(2).sum() + d0.pow(2).sum()
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, d, a, b in zip(params, grads, m, s):
            a.lerp_(d, 0.1)
            b.lerp_(d * d, 0.001)
            p -= 0.005 * (a / (1 - 0.9 ** step)) / ((b / (1 - 0.999 ** step)).sqrt() + 1e-8)
with torch.no_grad():
    x_test = torch.linspace(0, 4, 50)[:, None]
    print((net(x_test) - x_test.cos()).abs().max().item())
