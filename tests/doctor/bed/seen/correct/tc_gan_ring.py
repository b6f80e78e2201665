# expect: nothing
"""A GAN learns a ring of points in the plane; two optimizers, non-saturating loss."""
import math

import torch
from torch import nn
import torch.nn.functional as F

NOISE = 8


def real_points(n, generator):
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    radius = 1.0 + 0.05 * torch.randn(n, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def mlp(n_in, n_out, width=64):
    return nn.Sequential(
        nn.Linear(n_in, width), nn.LeakyReLU(0.2),
        nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, n_out),
    )


def discriminator_step(disc, gen, opt, real):
    with torch.no_grad():
        fake = gen(torch.randn(len(real), NOISE))
    logits_real, logits_fake = disc(real), disc(fake)
    loss = F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def generator_step(disc, gen, opt, n):
    disc.requires_grad_(False)
    loss = F.softplus(-disc(gen(torch.randn(n, NOISE)))).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    disc.requires_grad_(True)
    return loss.item()


def main(steps=900, batch=128):
    torch.manual_seed(20)
    points = torch.Generator().manual_seed(20)
    gen, disc = mlp(NOISE, 2), mlp(2, 1)
    opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(disc.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for step in range(1, steps + 1):
        d = discriminator_step(disc, gen, opt_d, real_points(batch, points))
        g = generator_step(disc, gen, opt_g, batch)
        if step % 300 == 0:
            print(f"step {step}: discriminator {d:.3f} generator {g:.3f}")
    gen.eval()
    with torch.no_grad():
        radius = gen(torch.randn(2000, NOISE)).norm(dim=1)
    print(f"radius of the made points: mean {radius.mean():.2f}, spread {radius.std():.2f} (wanted 1.00 and 0.05)")


main()
