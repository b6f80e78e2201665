# expect: nothing
"""Tiny GAN on a ring of eight Gaussians.

Generator and critic are plain MLPs; we report how many of the eight modes
the generator reaches at the end.
"""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce


@dataclass
class Cfg:
    latent: int = 8
    hidden: int = 64
    batch: int = 128
    steps: int = 700
    lr_g: float = 1e-3
    lr_d: float = 1e-3
    seed: int = 11


def real_batch(n, gen):
    k = torch.randint(0, 8, (n,), generator=gen)
    angle = k.float() * (2 * math.pi / 8)
    centres = torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres + 0.05 * torch.randn(n, 2, generator=gen)


def mlp(sizes, slope):
    mods = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        mods += [nn.Linear(a, b), nn.LeakyReLU(slope)]
    mods.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*mods)


class RingGan:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = torch.Generator().manual_seed(cfg.seed)
        self.G = mlp([cfg.latent, cfg.hidden, cfg.hidden, 2], 0.2)
        self.D = mlp([2, cfg.hidden, cfg.hidden, 1], 0.2)
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=cfg.lr_g, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=cfg.lr_d, betas=(0.5, 0.99))

    def latent(self, n):
        return torch.randn(n, self.cfg.latent, generator=self.gen)

    def critic_turn(self):
        real = real_batch(self.cfg.batch, self.gen)
        fake = self.G(self.latent(self.cfg.batch)).detach()
        on_real, on_fake = self.D(real), self.D(fake)
        loss = bce(on_real, torch.full_like(on_real, 0.9)) + bce(on_fake, torch.zeros_like(on_fake))
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def generator_turn(self):
        verdict = self.D(self.G(self.latent(self.cfg.batch)))
        loss = bce(verdict, torch.ones_like(verdict))
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    @torch.no_grad()
    def coverage(self, n=512):
        pts = self.G(self.latent(n))
        angle = torch.arange(8) * (2 * math.pi / 8)
        centres = torch.stack([angle.cos(), angle.sin()], dim=1)
        dist, who = torch.cdist(pts, centres).min(dim=1)
        good = dist < 0.25
        return len(set(who[good].tolist())), good.float().mean().item()


def main():
    cfg = Cfg()
    torch.manual_seed(cfg.seed)
    gan = RingGan(cfg)
    for step in range(1, cfg.steps + 1):
        d = gan.critic_turn()
        g = gan.generator_turn()
        if step % 100 == 0:
            modes, hit = gan.coverage()
            print(f"step {step:4d}  D {d:.3f}  G {g:.3f}  modes {modes}/8  near a mode {hit:.2f}")


if __name__ == "__main__":
    main()
