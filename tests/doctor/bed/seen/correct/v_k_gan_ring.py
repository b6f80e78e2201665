# expect: nothing
"""Small GAN on a 2-D Gaussian blob mixture, as in beginners' tutorials."""
import math

import torch
import torch.nn as nn

torch.manual_seed(5)


def real_batch(n):
    a = torch.randint(0, 4, (n,)).float() * math.pi / 2
    return torch.stack([a.cos(), a.sin()], 1) + 0.1 * torch.randn(n, 2)


G = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)

for step in range(800):
    fake = G(torch.randn(64, 4))
    opt_d.zero_grad()
    d_loss = bce(D(real_batch(64)), ones) + bce(D(fake.detach()), zeros)
    d_loss.backward()
    opt_d.step()

    opt_g.zero_grad()
    g_loss = bce(D(fake), ones)
    g_loss.backward()
    opt_g.step()
    if step % 200 == 199:
        print(f"step {step + 1} D {d_loss.item():.3f} G {g_loss.item():.3f}")

G.eval()
with torch.no_grad():
    r = G(torch.randn(500, 4)).norm(dim=1)
print(f"generated radius mean {r.mean().item():.3f} (real {real_batch(500).norm(dim=1).mean().item():.3f})")
