# expect: nothing
"""First steps of MAML on sine waves with functional_call, vmap and torch.func.grad."""
import math
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
params = dict(net.named_parameters())
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def tasks(n, k):
    amp = torch.rand(n, 1, 1) * 2 + 0.5
    phase = torch.rand(n, 1, 1) * math.pi
    x = torch.rand(n, 2 * k, 1) * 6 - 3
    y = amp * torch.sin(x + phase)
    return x[:, :k], y[:, :k], x[:, k:], y[:, k:]


def mse(p, x, y):
    return ((functional_call(net, p, (x,)) - y) ** 2).mean()


def adapted_loss(xs, ys, xq, yq, lr=0.05, steps=2):
    fast = params
    for _ in range(steps):
        g = grad(mse)(fast, xs, ys)
        fast = {k: fast[k] - lr * g[k] for k in fast}
    return mse(fast, xq, yq)


held = tasks(50, 10)
for it in range(250):
    loss = vmap(adapted_loss)(*tasks(16, 10)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 50 == 49:
        with torch.no_grad():
            before = vmap(lambda x, y: mse(params, x, y))(held[2], held[3]).mean()
            after = vmap(adapted_loss)(*held).mean()
        print(f"it {it + 1} query mse before {before:.3f} after adaptation {after:.3f}")
