# expect: nothing
"""Wasserstein GAN with clipped weights on a ring of points: five critic updates per generator update."""

import math

import torch
from torch import nn

torch.manual_seed(3)
n_critic, clip_value, batch, nz = 5, 0.05, 64, 4


def real_points(n):
    angle = 2 * math.pi * torch.rand(n)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.03 * torch.randn(n, 2)


def mlp(i, o, width=48):
    return nn.Sequential(
        nn.Linear(i, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, o),
    )


generator, critic = mlp(nz, 2), mlp(2, 1)
opt_g = torch.optim.RMSprop(generator.parameters(), lr=5e-4)
opt_c = torch.optim.RMSprop(critic.parameters(), lr=5e-4)

for it in range(60):
    for p in critic.parameters():
        p.requires_grad_(True)
    for _ in range(n_critic):
        opt_c.zero_grad()
        fake = generator(torch.randn(batch, nz)).detach()
        loss_c = critic(fake).mean() - critic(real_points(batch)).mean()
        loss_c.backward()
        opt_c.step()
        with torch.no_grad():
            for p in critic.parameters():
                p.clamp_(-clip_value, clip_value)
    for p in critic.parameters():
        p.requires_grad_(False)
    opt_g.zero_grad()
    loss_g = -critic(generator(torch.randn(batch, nz))).mean()
    loss_g.backward()
    opt_g.step()
    if it % 20 == 0:
        print(f"it {it:3d}  W distance {-loss_c.item():.4f}  loss_G {loss_g.item():.4f}")
