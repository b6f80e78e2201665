# expect: sigmoid_before_bce_with_logits @ 44
# allowed: sigmoid_before_bce_with_logits @ 63
# allowed: sigmoid_before_bce_with_logits @ 72
# Small GAN on a ring of 2-D points. Two optimisers, generator weights averaged for sampling.
import copy
import math

import torch
import torch.nn as nn

torch.manual_seed(3)
BATCH, NOISE, STEPS = 128, 4, 700


def ring(n, modes=6, radius=1.5, spread=0.08):
    k = torch.randint(0, modes, (n,)).float() * (2 * math.pi / modes)
    centre = torch.stack([k.cos(), k.sin()], dim=1) * radius
    return centre + spread * torch.randn(n, 2)


class Gen(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(NOISE, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, 2),
        )

    def forward(self, z):
        return self.body(z)


class Critic(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.feat = nn.Sequential(
            nn.Linear(2, width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LeakyReLU(0.2),
        )
        self.score = nn.Linear(width, 1)

    def forward(self, p):
        return self.score(self.feat(p)).sigmoid().squeeze(1)


def energy_distance(a, b):
    return (2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()).item()


class RingGAN:
    def __init__(self):
        self.g, self.d = Gen(), Critic()
        self.smooth = copy.deepcopy(self.g).requires_grad_(False).eval()
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=1e-3, betas=(0.5, 0.99))
        self.adv = nn.BCEWithLogitsLoss()

    def critic_step(self, real):
        with torch.no_grad():
            fake = self.g(torch.randn(len(real), NOISE))
        s_real, s_fake = self.d(real), self.d(fake)
        loss = self.adv(s_real, torch.ones_like(s_real)) + self.adv(s_fake, torch.zeros_like(s_fake))
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item() / 2

    def generator_step(self):
        self.d.requires_grad_(False)
        s = self.d(self.g(torch.randn(BATCH, NOISE)))
        loss = self.adv(s, torch.ones_like(s))
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        self.d.requires_grad_(True)
        return loss.item()

    @torch.no_grad()
    def track(self, keep=0.98):
        for avg, now in zip(self.smooth.parameters(), self.g.parameters()):
            avg.mul_(keep).add_(now, alpha=1 - keep)

    @torch.no_grad()
    def sample(self, n):
        return self.smooth(torch.randn(n, NOISE))


gan = RingGAN()
reference = ring(1500)
print(f"start: energy distance {energy_distance(gan.sample(1500), reference):.4f}")
for step in range(1, STEPS + 1):
    d_loss = gan.critic_step(ring(BATCH))
    g_loss = gan.generator_step()
    gan.track()
    if step % 140 == 0:
        e = energy_distance(gan.sample(1500), reference)
        print(f"step {step:4d}  D {d_loss:.3f}  G {g_loss:.3f}  energy distance {e:.4f}")
