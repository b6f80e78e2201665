# expect: nothing
"""A first GAN in fifty lines: learn a ring of eight Gaussians in the plane.

Companion code of a blog post. The generator turns 8-dimensional noise into points,
the discriminator tells them from real ones, and at the end the distance of generated
points to the nearest centre is printed.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(3)

MODES, NOISE, BATCH, STEPS = 8, 8, 96, 1000
angles = torch.arange(MODES) * (2 * math.pi / MODES)
CENTRES = torch.stack([angles.cos(), angles.sin()], dim=1)


def real_points(n):
    which = torch.randint(0, MODES, (n,))
    return CENTRES[which] + 0.05 * torch.randn(n, 2)


def mlp(n_in, n_out, hidden=64):
    return nn.Sequential(
        nn.Linear(n_in, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, n_out),
    )


def forget_gradients(*nets):
    for net in nets:
        for p in net.parameters():
            p.grad = None if p.grad is None else torch.zeros_like(p.grad)


gen, disc = mlp(NOISE, 2), mlp(2, 1)
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(disc.parameters(), lr=1e-3, betas=(0.5, 0.99))
ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

for step in range(1, STEPS + 1):
    # discriminator: real points up, generated ones down
    real = real_points(BATCH)
    fake = gen(torch.randn(BATCH, NOISE)).detach()
    opt_d.zero_grad()
    d_loss = (F.binary_cross_entropy_with_logits(disc(real), ones)
              + F.binary_cross_entropy_with_logits(disc(fake), zeros))
    d_loss.backward()
    opt_d.step()

    # generator: make the discriminator say "real"
    opt_g.zero_grad()
    g_loss = F.binary_cross_entropy_with_logits(disc(gen(torch.randn(BATCH, NOISE))), ones)
    g_loss.backward()
    # this pass went through the discriminator as well, nothing of it may stay behind
    forget_gradients(disc)
    opt_g.step()

    if step % 200 == 0:
        print(f"step {step:4d}  d_loss {d_loss.item():.3f}  g_loss {g_loss.item():.3f}")

with torch.no_grad():
    sample = gen(torch.randn(2000, NOISE))
    dist, nearest = torch.cdist(sample, CENTRES).min(dim=1)
share = torch.bincount(nearest[dist < 0.25], minlength=MODES) / len(sample)
print(f"mean distance to the nearest centre: {dist.mean():.3f}")
print(f"points within 0.25 of a centre: {(dist < 0.25).float().mean():.3f}")
print("share of each mode:", [round(v, 3) for v in share.tolist()])
