# expect: nothing
# mends: gan_generator_grads_pile_up.py
"""A GAN on a ring of points in the style of the DCGAN example."""

import torch
from torch import nn

torch.manual_seed(0)
nz, batch = 8, 64


def real_batch(n):
    angle = torch.rand(n) * 6.28318
    return torch.stack([angle.cos(), angle.sin()], dim=1) + 0.02 * torch.randn(n, 2)


net_g = nn.Sequential(nn.Linear(nz, 32), nn.ReLU(), nn.Linear(32, 2))
net_d = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
criterion = nn.BCEWithLogitsLoss()
opt_g = torch.optim.Adam(net_g.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(net_d.parameters(), lr=1e-3, betas=(0.5, 0.999))
ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

for i in range(120):
    # (1) update D: maximize log(D(x)) + log(1 - D(G(z)))
    net_d.zero_grad()
    err_real = criterion(net_d(real_batch(batch)), ones)
    err_real.backward()
    fake = net_g(torch.randn(batch, nz))
    err_fake = criterion(net_d(fake.detach()), zeros)
    err_fake.backward()
    opt_d.step()

    # (2) update G: maximize log(D(G(z)))
    net_g.zero_grad()
    err_g = criterion(net_d(fake), ones)
    err_g.backward()
    opt_g.step()

    if i % 30 == 0:
        print(f"[{i}] Loss_D: {(err_real + err_fake).item():.4f} Loss_G: {err_g.item():.4f}")
