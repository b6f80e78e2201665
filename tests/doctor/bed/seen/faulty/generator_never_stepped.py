# expect: no_step @ 38
# allowed: missing_zero_grad @ 38
"""Adversarial training in which a copied line steps the discriminator twice."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


critic = Critic()
gen = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1))
opt_g = torch.optim.Adam(gen.parameters(), lr=2e-3)
opt_d = torch.optim.Adam(critic.parameters(), lr=2e-3)

for it in range(100):
    real = 3 + 0.5 * torch.randn(64, 1)
    fake = gen(torch.randn(64, 4))

    opt_d.zero_grad()
    loss_d = F.softplus(-critic(real)).mean() + F.softplus(critic(fake.detach())).mean()
    loss_d.backward()
    opt_d.step()

    opt_g.zero_grad()
    loss_g = F.softplus(-critic(fake)).mean()
    loss_g.backward()
    opt_d.step()
    if it % 25 == 0:
        print(f"{it:3d} D {loss_d.item():.3f} G {loss_g.item():.3f} mean of fakes {fake.mean().item():.3f}")
