# expect: nothing
"""Ensemble trained in one go with torch.func: stacked parameters, vmap over grad, manual SGD."""
import copy

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

torch.manual_seed(0)
MEMBERS = 5
nets = [nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1)) for _ in range(MEMBERS)]
params, buffers = stack_module_state(nets)
params = {k: v.detach() for k, v in params.items()}
skeleton = copy.deepcopy(nets[0]).to("meta")


def f(x):
    return torch.sin(x[:, :1] * 2) + x[:, 1:2] * x[:, 2:]


def member_loss(p, b, x, y):
    return nn.functional.mse_loss(functional_call(skeleton, (p, b), (x,)), y)


gradient = vmap(grad_and_value(member_loss), in_dims=(0, 0, 0, 0))
predict = vmap(lambda p, b, x: functional_call(skeleton, (p, b), (x,)), in_dims=(0, 0, None))
x = torch.randn(1000, 3)
y = f(x) + 0.1 * torch.randn(1000, 1)
velocity = {k: torch.zeros_like(v) for k, v in params.items()}
lr, momentum = 0.05, 0.9
for epoch in range(40):
    order = torch.stack([torch.randperm(800) for _ in range(MEMBERS)])
    total = 0.0
    for j in range(0, 800, 40):
        idx = order[:, j : j + 40]
        grads, loss = gradient(params, buffers, x[idx], y[idx])
        for k in params:
            velocity[k] = momentum * velocity[k] + grads[k]
            params[k] = params[k] - lr * velocity[k]
        total += loss.mean().item()
    if epoch % 10 == 9:
        print(f"epoch {epoch} mean member loss {total / 20:.4f}")

out = predict(params, buffers, x[800:])
single = (out - y[800:]).pow(2).mean((1, 2))
print(f"single test mse {single.mean().item():.4f} ensemble {(out.mean(0) - y[800:]).pow(2).mean().item():.4f}")
