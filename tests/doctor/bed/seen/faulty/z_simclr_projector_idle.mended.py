# expect: nothing
# mends: z_simclr_projector_idle.py
"""A small contrastive run: encoder and projector with an optimizer each."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(3)
digits = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
digits = digits[:1024]

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
projector = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 16))
opt_enc = torch.optim.Adam(encoder.parameters(), lr=1e-3)
opt_proj = torch.optim.Adam(projector.parameters(), lr=1e-3)


def augment(x):
    keep = (torch.rand_like(x) > 0.2).float()
    return x * keep + 0.05 * torch.randn_like(x)


def nt_xent(a, b, tau=0.2):
    z = F.normalize(torch.cat([a, b]), dim=1)
    sim = z @ z.T / tau
    sim = sim.masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)
    n = len(a)
    partner = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, partner)


for epoch in range(5):
    total = 0.0
    for chunk in digits[torch.randperm(1024)].split(128):
        z1 = projector(encoder(augment(chunk)))
        z2 = projector(encoder(augment(chunk)))
        loss = nt_xent(z1, z2)
        opt_enc.zero_grad()
        opt_proj.zero_grad()
        loss.backward()
        opt_enc.step()
        opt_proj.step()
        total += float(loss)
    print("epoch", epoch, "nt-xent", round(total / 8, 4))
