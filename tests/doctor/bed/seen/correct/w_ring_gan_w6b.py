# expect: nothing
"""A GAN for eight clusters of points on a ring, with an averaged copy of the generator for drawing."""
import argparse
import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--noise", type=int, default=8)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--average", type=float, default=0.99)
opt = parser.parse_args()

CENTRES = torch.tensor([[math.cos(a * math.pi / 4), math.sin(a * math.pi / 4)] for a in range(8)]) * 1.4


def real_points(n):
    which = torch.randint(0, 8, (n,))
    return CENTRES[which] + 0.12 * torch.randn(n, 2)


def mlp(*widths):
    layers = []
    for a, b in zip(widths[:-1], widths[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


@torch.no_grad()
def follow(average, live, keep):
    for slow, fast in zip(average.parameters(), live.parameters()):
        slow.lerp_(fast, 1 - keep)


@torch.no_grad()
def coverage(generator, n=2000):
    """Share of points near some cluster, and the number of clusters that get at least two per cent."""
    generator.eval()
    points = generator(torch.randn(n, opt.noise))
    gap, nearest = torch.cdist(points, CENTRES).min(dim=1)
    close = gap < 0.4
    shares = torch.bincount(nearest[close], minlength=8) / n
    return close.float().mean().item(), int((shares > 0.02).sum())


def main():
    torch.manual_seed(31)
    generator, critic = mlp(opt.noise, 64, 64, 2), mlp(2, 64, 64, 1)
    average = copy.deepcopy(generator).requires_grad_(False)
    g_optim = torch.optim.Adam(generator.parameters(), lr=opt.lr, betas=(0.5, 0.99))
    d_optim = torch.optim.Adam(critic.parameters(), lr=opt.lr, betas=(0.5, 0.99))
    ones, zeros = torch.ones(opt.batch, 1), torch.zeros(opt.batch, 1)

    for step in range(1, opt.steps + 1):
        real = real_points(opt.batch)
        with torch.no_grad():
            fake = generator(torch.randn(opt.batch, opt.noise))
        d_loss = (F.binary_cross_entropy_with_logits(critic(real), ones)
                  + F.binary_cross_entropy_with_logits(critic(fake), zeros))
        d_optim.zero_grad()
        d_loss.backward()
        d_optim.step()

        critic.requires_grad_(False)
        fooled = critic(generator(torch.randn(opt.batch, opt.noise)))
        g_loss = F.binary_cross_entropy_with_logits(fooled, ones)
        g_optim.zero_grad()
        g_loss.backward()
        g_optim.step()
        critic.requires_grad_(True)
        follow(average, generator, opt.average)

        if step % 150 == 0:
            print(f"step {step:4d}  critic {d_loss.item():.3f}  generator {g_loss.item():.3f}")
    close, clusters = coverage(average)
    print(f"{close:.2f} of the points lie near a cluster, {clusters} of 8 clusters are drawn")


if __name__ == "__main__":
    main()
