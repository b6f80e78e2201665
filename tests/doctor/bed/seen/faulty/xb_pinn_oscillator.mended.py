# expect: nothing
# PINN for a damped oscillator:  u'' + 2 z w u' + w^2 u = 0,  u(0)=1, u'(0)=0
# Compared with the exact solution; collocation points are drawn anew each step.
import math
import torch
from torch import nn

torch.manual_seed(2)
Z, W, T_END = 0.2, 2.0, 4.0


def exact(t):
    wd = W * math.sqrt(1 - Z * Z)
    return torch.exp(-Z * W * t) * (torch.cos(wd * t) + Z * W / wd * torch.sin(wd * t))


class Field(nn.Module):
    """u(t) on [0, T_END]; time is mapped to [-1, 1] before the first layer."""

    def __init__(self, width=24):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(1, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, 1),
        )

    def forward(self, t):
        return self.body(2 * t / T_END - 1)


def derivative(y, t):
    return torch.autograd.grad(y, t, torch.ones_like(y), create_graph=True)[0]


def residual_loss(u, n=48):
    t = (torch.rand(n, 1) * T_END).requires_grad_()
    y = u(t)
    dy = derivative(y, t)
    ddy = derivative(dy, t)
    return ((ddy + 2 * Z * W * dy + W ** 2 * y) ** 2).mean()


def initial_loss(u):
    t0 = torch.zeros(1, 1, requires_grad=True)
    y0 = u(t0)
    return (y0 - 1).square().mean() + derivative(y0, t0).square().mean()


def summarise(values, every):
    """Mean of each block of `every` values."""
    return torch.as_tensor(values).reshape(-1, every).mean(1)


u = Field()
adam = torch.optim.Adam(u.parameters(), lr=1e-2)
decay = torch.optim.lr_scheduler.ExponentialLR(adam, gamma=0.9985)
history = {"ode": [], "start": []}

STEPS, EVERY = 600, 120
for step in range(STEPS):
    adam.zero_grad()
    parts = {"ode": residual_loss(u), "start": initial_loss(u)}
    (parts["ode"] + 10.0 * parts["start"]).backward()
    adam.step()
    decay.step()
    for key, part in parts.items():
        history[key].append(part.item())

for key in history:
    curve = summarise(history[key], EVERY)
    print(f"{key:>6}:", "  ".join(f"{v:.5f}" for v in curve.tolist()))

with torch.no_grad():
    grid = torch.linspace(0, T_END, 101).unsqueeze(1)
    err = (u(grid) - exact(grid)).abs()
print(f"max |u - exact| = {err.max().item():.4f}   mean = {err.mean().item():.4f}")
