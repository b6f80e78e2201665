# expect: nothing
"""GAN on a ring of points: the generator step leaves gradients on the discriminator."""
import math
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))


def real(n):
    a = torch.rand(n) * 2 * math.pi
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(n, 2)


def d_step(n):
    opt_d.zero_grad()
    fake = G(torch.randn(n, 8)).detach()
    loss = F.softplus(-D(real(n))).mean() + F.softplus(D(fake)).mean()
    loss.backward()
    opt_d.step()
    return loss.item()


def g_step(n):
    opt_g.zero_grad()
    loss = F.softplus(-D(G(torch.randn(n, 8)))).mean()
    loss.backward()
    opt_g.step()
    return loss.item()


for it in range(1500):
    ld = d_step(64)
    lg = g_step(64)
    if it % 300 == 299:
        with torch.no_grad():
            r = G(torch.randn(500, 8)).norm(dim=1)
        print(f"it {it + 1} D {ld:.3f} G {lg:.3f} radius {r.mean():.3f} +- {r.std():.3f}")
