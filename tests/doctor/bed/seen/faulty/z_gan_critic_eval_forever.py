# expect: train_mode_never_restored @ 27
# allowed: train_mode_never_restored @ 34
"""A GAN on a ring; samples for a look are drawn from the generator in eval mode."""

import math

import torch
from torch import nn

torch.manual_seed(0)


def real_points(n):
    a = torch.rand(n) * 2 * math.pi
    return torch.stack([a.cos(), a.sin()], 1) + 0.03 * torch.randn(n, 2)


G = nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)


def preview():
    G.eval()
    with torch.no_grad():
        radius = G(torch.randn(200, 4)).norm(dim=1)
    return radius.mean().item(), radius.std().item()


for step in range(150):
    fake = G(torch.randn(64, 4))
    loss_d = bce(D(real_points(64)), ones) + bce(D(fake.detach()), zeros)
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    loss_g = bce(D(fake), ones)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 50 == 49:
        print(
            step + 1,
            f"d {loss_d.item():.3f} g {loss_g.item():.3f}",
            "radius {:.3f} +- {:.3f}".format(*preview()),
        )
