# expect: nothing
"""An optimizer written as a function over parameters, with grads set to None and a cosine rate."""

import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x).float() / 8 - 1, torch.tensor(y)
mix = torch.randperm(len(x))
x, y = x[mix], y[mix]
net = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.GELU(), torch.nn.Linear(48, 10))
moments = {p: (torch.zeros_like(p), torch.zeros_like(p)) for p in net.parameters()}


@torch.no_grad()
def adam(params, lr, t, b1=0.9, b2=0.99, eps=1e-8):
    for p in params:
        m, v = moments[p]
        m.mul_(b1).add_(p.grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
        p.sub_(lr * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + eps))
        p.grad = None


T = 100
for t in range(1, T + 1):
    rows = torch.randint(0, 1400, (64,))
    loss = F.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    adam(net.parameters(), 3e-3 * 0.5 * (1 + math.cos(math.pi * t / T)), t)
    if t % 25 == 0:
        with torch.inference_mode():
            print(t, loss.item(), (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())
