# expect: nothing
# looks suspicious: create_graph=True inside the loop, fast weights outside the optimizer, and the inner loss
# never calls backward: second-order MAML.
import math

import torch
import torch.nn.functional as F

torch.manual_seed(5)


def make_params():
    return [
        (torch.randn(40, 1) * 1.0).requires_grad_(),
        torch.zeros(40, requires_grad=True),
        (torch.randn(40, 40) * (2 / 40) ** 0.5).requires_grad_(),
        torch.zeros(40, requires_grad=True),
        (torch.randn(1, 40) * 40**-0.5).requires_grad_(),
        torch.zeros(1, requires_grad=True),
    ]


def net(p, x):
    x = F.relu(F.linear(x, p[0], p[1]))
    x = F.relu(F.linear(x, p[2], p[3]))
    return F.linear(x, p[4], p[5])


def task():
    amplitude = 0.5 + 1.5 * torch.rand(1)
    phase = math.pi * torch.rand(1)

    def sample(k):
        x = 4 * torch.rand(k, 1) - 2
        return x, amplitude * torch.sin(x + phase)

    return sample


theta = make_params()
meta = torch.optim.Adam(theta, lr=3e-3)
for it in range(60):
    meta.zero_grad()
    meta_loss = 0.0
    for _ in range(4):
        sample = task()
        xs, ys = sample(10)
        xq, yq = sample(10)
        inner = F.mse_loss(net(theta, xs), ys)
        grads = torch.autograd.grad(inner, theta, create_graph=True)
        fast = [w - 0.05 * g for w, g in zip(theta, grads, strict=True)]
        meta_loss = meta_loss + F.mse_loss(net(fast, xq), yq)
    (meta_loss / 4).backward()
    meta.step()
    if it % 15 == 0:
        print(f"meta iteration {it:3d}  query loss {meta_loss.item() / 4:.4f}")
print(f"last query loss {meta_loss.item() / 4:.4f}")
