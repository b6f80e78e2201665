# expect: nothing
"""WGAN with gradient penalty on eight Gaussian blobs in a ring; several critic steps for every generator step."""
import math

import torch
from torch import nn


def ring(n, gen):
    angle = 2 * math.pi * torch.randint(0, 8, (n,), generator=gen) / 8
    centre = torch.stack([angle.cos(), angle.sin()], dim=1)
    return 1.4 * centre + 0.12 * torch.randn(n, 2, generator=gen)


def endless(points, batch, gen):
    while True:
        for idx in torch.randperm(len(points), generator=gen).split(batch):
            if len(idx) == batch:
                yield points[idx]


def mlp(n_in, n_out, act):
    return nn.Sequential(nn.Linear(n_in, 64), act(), nn.Linear(64, 64), act(), nn.Linear(64, n_out))


def gradient_penalty(critic, real, fake):
    mix = torch.rand(len(real), 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    scores = critic(between)
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return (slope.norm(dim=1) - 1).pow(2).mean()


def coverage(samples):
    angle = torch.arange(8) * 2 * math.pi / 8
    centres = 1.4 * torch.stack([angle.cos(), angle.sin()], dim=1)
    dist, mode = torch.cdist(samples, centres).min(dim=1)
    close = dist < 0.4
    return mode[close].unique().numel(), close.float().mean().item()


def main(iterations=400, critic_steps=3, batch=128, weight=0.2):
    torch.manual_seed(19)
    gen = torch.Generator().manual_seed(19)
    data = endless(ring(4096, gen), batch, gen)
    generator, critic = mlp(4, 2, nn.ReLU), mlp(2, 1, nn.SiLU)
    opt_g = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.9))
    opt_c = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    gap = 0.0
    for it in range(iterations):
        for _ in range(critic_steps):
            real = next(data)
            fake = generator(torch.randn(batch, 4)).detach()
            distance = critic(real).mean() - critic(fake).mean()
            loss_c = -distance + weight * gradient_penalty(critic, real, fake)
            opt_c.zero_grad()
            loss_c.backward()
            opt_c.step()
        gap = 0.95 * gap + 0.05 * distance.item()

        critic.requires_grad_(False)
        loss_g = -critic(generator(torch.randn(batch, 4))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        critic.requires_grad_(True)
        if (it + 1) % 80 == 0:
            print(f"iteration {it + 1}  smoothed critic gap {gap:.4f}")

    generator.eval()
    with torch.no_grad():
        modes, close = coverage(generator(torch.randn(2000, 4)))
    print(f"{modes} of 8 blobs reached, {close:.2f} of the samples near one")


if __name__ == "__main__":
    main()
