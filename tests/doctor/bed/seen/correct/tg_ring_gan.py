# expect: nothing
"""A GAN for points on a ring: two optimizers, fakes detached in the critic's turn."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(23)


def ring(n):
    a = 2 * torch.pi * torch.rand(n)
    return torch.stack([a.cos(), a.sin()], dim=1) + 0.05 * torch.randn(n, 2)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


G, D = mlp(4, 2), mlp(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
BATCH = 128
real_label, fake_label = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

for step in range(900):
    fake = G(torch.randn(BATCH, 4))
    loss_d = F.binary_cross_entropy_with_logits(D(ring(BATCH)), real_label)
    loss_d = loss_d + F.binary_cross_entropy_with_logits(D(fake.detach()), fake_label)
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()

    loss_g = F.binary_cross_entropy_with_logits(D(fake), real_label)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if step % 300 == 299:
        print(f"step {step + 1}: critic {loss_d.item():.3f} generator {loss_g.item():.3f}")

G.eval()
with torch.no_grad():
    radius = G(torch.randn(1000, 4)).norm(dim=1)
print(f"radius of the fakes: mean {radius.mean():.3f}, std {radius.std():.3f}")
