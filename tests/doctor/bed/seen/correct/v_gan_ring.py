# expect: nothing
"""GAN on a ring of points; the generator step leaves gradients in the critic."""
import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()


def real_batch(n):
    a = torch.rand(n) * 6.2832
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(n, 2)


def d_step(n):
    real, fake = real_batch(n), G(torch.randn(n, 4)).detach()
    loss = bce(D(real), torch.ones(n, 1)) + bce(D(fake), torch.zeros(n, 1))
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return loss.item()


def g_step(n):
    loss = bce(D(G(torch.randn(n, 4))), torch.ones(n, 1))
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return loss.item()


for step in range(900):
    dl, gl = d_step(128), g_step(128)
    if step % 300 == 299:
        print(f"step {step + 1} D {dl:.3f} G {gl:.3f}")

G.eval()
with torch.no_grad():
    r = G(torch.randn(1000, 4)).norm(dim=1)
print(f"radius of generated points {r.mean().item():.3f} +- {r.std().item():.3f}")
