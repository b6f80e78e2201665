# expect: nothing
"""GAN on a ring of Gaussians; the generator step leaves gradients in the discriminator on purpose."""
import torch
from torch import nn

torch.manual_seed(0)


def real_batch(n):
    angle = torch.randint(0, 8, (n,)) * (2 * torch.pi / 8)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, o))


G, D = mlp(8, 2), mlp(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.99))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.99))
bce = nn.BCEWithLogitsLoss()
n = 128
for it in range(700):
    fake = G(torch.randn(n, 8))
    opt_d.zero_grad()
    d_loss = bce(D(real_batch(n)), torch.ones(n, 1)) + bce(D(fake.detach()), torch.zeros(n, 1))
    d_loss.backward()
    opt_d.step()

    opt_g.zero_grad()
    g_loss = bce(D(fake), torch.ones(n, 1))
    g_loss.backward()
    opt_g.step()
    if it % 100 == 99:
        with torch.no_grad():
            radius = G(torch.randn(500, 8)).norm(dim=1)
        print(f"it {it + 1} D {d_loss.item():.3f} G {g_loss.item():.3f} radius {radius.mean():.3f} +- {radius.std():.3f}")
