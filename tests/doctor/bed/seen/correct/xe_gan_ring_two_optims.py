# expect: nothing
"""GAN on a ring of eight blobs. Two optimizers, one-sided label smoothing, averaged generator."""
import copy
import math

import torch
from torch import nn

torch.manual_seed(77)
NOISE = 8


def ring(n):
    k = torch.randint(0, 8, (n,))
    ang = k * (2 * math.pi / 8)
    return torch.stack([torch.cos(ang), torch.sin(ang)], 1) * 1.5 + 0.1 * torch.randn(n, 2)


def mlp(a, b, width=64):
    return nn.Sequential(
        nn.Linear(a, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, b)
    )


class Players:
    def __init__(self):
        self.g, self.d = mlp(NOISE, 2), mlp(2, 1)
        self.g_slow = copy.deepcopy(self.g).requires_grad_(False)
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.bce = nn.BCEWithLogitsLoss()

    def step_d(self, real):
        fake = self.g(torch.randn(len(real), NOISE)).detach()
        r, f = self.d(real), self.d(fake)
        loss = self.bce(r, torch.full_like(r, 0.9)) + self.bce(f, torch.zeros_like(f))
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def step_g(self, n):
        self.d.requires_grad_(False)
        f = self.d(self.g(torch.randn(n, NOISE)))
        loss = self.bce(f, torch.ones_like(f))
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        self.d.requires_grad_(True)
        with torch.no_grad():
            for slow, fast in zip(self.g_slow.parameters(), self.g.parameters()):
                slow.lerp_(fast, 0.02)
        return loss.item()


players = Players()
for step in range(1, 901):
    players.g.train()
    players.d.train()
    ld = players.step_d(ring(128))
    lg = players.step_g(128)
    if step % 300 == 0:
        print(f"step {step:4d}  D {ld:.3f}  G {lg:.3f}")

players.g_slow.eval()
with torch.no_grad():
    pts = players.g_slow(torch.randn(2000, NOISE))
    ang = torch.arange(8) * (2 * math.pi / 8)
    centres = torch.stack([torch.cos(ang), torch.sin(ang)], 1) * 1.5
    dist, which = torch.cdist(pts, centres).min(dim=1)
close = dist < 0.4
print(f"share near a blob {close.float().mean().item():.3f}, blobs reached {which[close].unique().numel()}")
