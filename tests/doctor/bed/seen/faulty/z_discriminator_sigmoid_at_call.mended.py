# expect: nothing
# mends: z_discriminator_sigmoid_at_call.py
"""A GAN with BCEWithLogits, and a sigmoid at the place of the call."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
G = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 2))
D = nn.Sequential(nn.Linear(2, 20), nn.LeakyReLU(0.1), nn.Linear(20, 1))
og, od = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)


def score(points):
    return D(points)


def gan_loss(points, real):
    wanted = torch.full((len(points), 1), float(real))
    return F.binary_cross_entropy_with_logits(score(points), wanted)


for step in range(120):
    real = torch.randn(50, 2) * 0.2 + torch.tensor([1.0, 0.0])
    fake = G(torch.randn(50, 4))
    d = gan_loss(real, True) + gan_loss(fake.detach(), False)
    od.zero_grad()
    d.backward()
    od.step()
    g = gan_loss(fake, True)
    og.zero_grad()
    g.backward()
    og.step()
    if step % 40 == 39:
        print(step + 1, d.item(), g.item(), fake.mean(0).tolist())
