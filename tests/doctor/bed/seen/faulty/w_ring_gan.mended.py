# expect: nothing
"""Small GAN on a ring of eight Gaussians, with the share of good samples as figure."""
import math
from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F


@dataclass
class Settings:
    latent: int = 4
    hidden: int = 64
    batch: int = 128
    steps: int = 400
    lr: float = 4e-3
    seed: int = 3


def ring(n, gen, radius=1.0, spread=0.08):
    k = torch.randint(0, 8, (n,), generator=gen)
    angle = k.float() * (2 * math.pi / 8)
    centre = torch.stack([angle.cos(), angle.sin()], dim=1) * radius
    return centre + spread * torch.randn(n, 2, generator=gen)


def mlp(d_in, d_out, hidden):
    return nn.Sequential(
        nn.Linear(d_in, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
        nn.Linear(hidden, d_out),
    )


class RingGAN:
    def __init__(self, cfg):
        self.cfg = cfg
        self.gen = torch.Generator().manual_seed(cfg.seed)
        self.g = mlp(cfg.latent, 2, cfg.hidden)
        self.d = mlp(2, 1, cfg.hidden)
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=cfg.lr, betas=(0.5, 0.9))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=cfg.lr, betas=(0.5, 0.9))

    def noise(self, n):
        return torch.randn(n, self.cfg.latent, generator=self.gen)

    def update_discriminator(self, real):
        fake = self.g(self.noise(len(real))).detach()
        out_real, out_fake = self.d(real), self.d(fake)
        loss = F.softplus(-out_real).mean() + F.softplus(out_fake).mean()
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def update_generator(self, n):
        fake = self.g(self.noise(n))
        loss = F.softplus(-self.d(fake)).mean()
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def fit(self):
        for step in range(1, self.cfg.steps + 1):
            d_loss = self.update_discriminator(ring(self.cfg.batch, self.gen))
            g_loss = self.update_generator(self.cfg.batch)
            if step % 100 == 0:
                print(f"step {step:4d}  d {d_loss:.3f}  g {g_loss:.3f}  good {self.quality():.3f}")

    @torch.no_grad()
    def quality(self, n=2000):
        pts = self.g(torch.randn(n, self.cfg.latent, generator=torch.Generator().manual_seed(99)))
        angle = torch.arange(8).float() * (2 * math.pi / 8)
        centres = torch.stack([angle.cos(), angle.sin()], dim=1)
        nearest = torch.cdist(pts, centres).min(dim=1)
        good = nearest.values < 0.3
        modes = nearest.indices[good].unique().numel()
        return good.float().mean().item() * modes / 8


if __name__ == "__main__":
    cfg = Settings()
    torch.manual_seed(cfg.seed)
    gan = RingGAN(cfg)
    gan.fit()
    print(f"final quality {gan.quality():.3f}")
