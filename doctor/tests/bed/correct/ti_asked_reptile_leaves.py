# needs: torch>=2.0
"""first-order meta learning with fresh leaves"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call
from sklearn.datasets import load_digits, load_wine, load_breast_cancer, load_diabetes, load_iris


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 1))
slow = {k: v.detach().clone() for k, v in net.named_parameters()}
def task():
    a, ph = torch.rand(1) * 4 + 0.5, torch.rand(1) * 3.1
    return lambda x: a * torch.sin(x + ph)
def inner(start, x, y, steps=12):
    fast = {k: v.clone().requires_grad_() for k, v in start.items()}
    for _ in range(steps):
        loss = F.mse_loss(functional_call(net, fast, (x,)), y)
        grads = torch.autograd.grad(loss, tuple(fast.values()))
        fast = {k: (v - 0.02 * d).detach().requires_grad_() for (k, v), d in zip(fast.items(), grads)}
    return fast
for it in range(100):
    f = task()
    x = torch.rand(20, 1) * 10 - 5
    fast = inner(slow, x, f(x))
    slow = {k: v + 0.1 * (fast[k].detach() - v) for k, v in slow.items()}
f = task()
x_support = torch.rand(10, 1) * 10 - 5
x_test = torch.linspace(-5, 5, 100)[:, None]
fast = inner(slow, x_support, f(x_support), 20)
with torch.no_grad():
    print("test", F.mse_loss(functional_call(net, fast, (x_test,)), f(x_test)).item())
