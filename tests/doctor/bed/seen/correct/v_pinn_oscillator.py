# expect: nothing
"""A physics-informed net for u'' = -u; its evaluation needs gradients."""
import math

import torch
from torch import nn

torch.manual_seed(15)


class U(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(1, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 1))

    def forward(self, t):
        return self.f(t / 2.0 - 1.0)


def derivatives(model, t):
    t = t.clone().requires_grad_()
    u = model(t)
    du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), t, create_graph=True)[0]
    return u, du, ddu


def residual_report(model, t):
    model.eval()
    u, _, ddu = derivatives(model, t)
    return (ddu + u).detach().abs().mean().item()


model = U()
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=900)
zero = torch.zeros(1, 1)
for step in range(900):
    model.train()
    t = torch.rand(48, 1) * 4
    u, _, ddu = derivatives(model, t)
    u0, du0, _ = derivatives(model, zero)
    loss = (ddu + u).pow(2).mean() + 5 * (u0 - 1).pow(2).mean() + 5 * du0.pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 300 == 299:
        print(f"step {step + 1} loss {loss.item():.5f}")

grid = torch.linspace(0, 4, 81).unsqueeze(1)
print(f"mean residual {residual_report(model, grid):.4f}")
with torch.no_grad():
    print(f"max error {(model(grid) - torch.cos(grid)).abs().max().item():.4f}")
