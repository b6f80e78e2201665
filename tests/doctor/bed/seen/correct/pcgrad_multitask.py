# expect: nothing
# looks suspicious: p.grad is assigned by hand from autograd.grad and backward is never called: conflicting
# task gradients are projected first (PCGrad).
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(800, 8)
targets = torch.stack([torch.sin(x[:, 0]) + x[:, 1], torch.sin(x[:, 0]) - 0.5 * x[:, 1] + x[:, 2]], 1)
net = nn.Sequential(nn.Linear(8, 48), nn.Tanh(), nn.Linear(48, 2))
params = list(net.parameters())
opt = torch.optim.Adam(params, lr=1e-2)


def flat_grad(loss, keep):
    grads = torch.autograd.grad(loss, params, retain_graph=keep)
    return torch.cat([g.reshape(-1) for g in grads])


for step in range(120):
    rows = torch.randint(700, (100,))
    task_losses = (net(x[rows]) - targets[rows]).square().mean(0)
    g = [flat_grad(task_losses[0], True), flat_grad(task_losses[1], False)]
    dot = g[0] @ g[1]
    merged = g[0] + g[1]
    if dot < 0:
        merged = merged - dot / g[1].square().sum() * g[1] - dot / g[0].square().sum() * g[0]
    at = 0
    for p in params:
        p.grad = merged[at : at + p.numel()].view_as(p).clone()
        at += p.numel()
    opt.step()
    if step % 30 == 0:
        print(step, [round(v, 4) for v in task_losses.tolist()])

with torch.no_grad():
    print("held out", (net(x[700:]) - targets[700:]).square().mean(0).tolist())
