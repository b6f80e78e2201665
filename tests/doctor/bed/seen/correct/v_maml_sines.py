# expect: nothing
"""Second-order MAML on sine waves with functional_call and autograd.grad."""
import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(14)
net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
meta_opt = torch.optim.Adam(net.parameters(), lr=3e-3)
INNER = 0.05


def task():
    amp, phase = torch.rand(1) * 2 + 0.5, torch.rand(1) * 3.14

    def draw(n):
        x = torch.rand(n, 1) * 6 - 3
        return x / 1.7, amp * torch.sin(x + phase)
    return draw


def adapt(params, x, y, steps, create_graph):
    for _ in range(steps):
        loss = nn.functional.mse_loss(functional_call(net, params, (x,)), y)
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
        params = {k: v - INNER * g for (k, v), g in zip(params.items(), grads)}
    return params


for it in range(150):
    meta_opt.zero_grad()
    total = 0.0
    for _ in range(6):
        draw = task()
        fast = adapt(dict(net.named_parameters()), *draw(10), steps=2, create_graph=True)
        x, y = draw(15)
        loss = nn.functional.mse_loss(functional_call(net, fast, (x,)), y) / 6
        loss.backward()
        total += loss.item()
    meta_opt.step()
    if it % 50 == 49:
        print(f"iteration {it + 1} query mse {total:.4f}")

before = after = 0.0
for _ in range(30):
    draw = task()
    xs, ys = draw(10)
    xq, yq = draw(50)
    start = {k: v.detach().clone().requires_grad_() for k, v in net.named_parameters()}
    fast = adapt(start, xs, ys, steps=3, create_graph=False)
    with torch.no_grad():
        before += nn.functional.mse_loss(net(xq), yq).item() / 30
        after += nn.functional.mse_loss(functional_call(net, fast, (xq,)), yq).item() / 30
print(f"test mse before adaptation {before:.3f} after {after:.3f}")
