# expect: nothing
"""DCGAN-like loop: D with real and fake losses sent backward apart, G afterwards."""

import torch
from torch import nn

torch.manual_seed(5)
nz = 6


def real(n):
    z = torch.randn(n, 2)
    return z @ torch.tensor([[1.0, 0.6], [0.0, 0.5]]) + torch.tensor([1.0, -1.0])


gen = nn.Sequential(nn.Linear(nz, 24), nn.BatchNorm1d(24), nn.ReLU(True), nn.Linear(24, 2))
dis = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2, inplace=True), nn.Linear(24, 1), nn.Sigmoid())
criterion = nn.BCELoss()
fixed_noise = torch.randn(64, nz)
opt_d = torch.optim.Adam(dis.parameters(), lr=2e-3, betas=(0.5, 0.999))
opt_g = torch.optim.Adam(gen.parameters(), lr=2e-3, betas=(0.5, 0.999))
for it in range(120):
    dis.zero_grad()
    label = torch.full((32,), 0.9)
    output = dis(real(32)).view(-1)
    loss_real = criterion(output, label)
    loss_real.backward()
    mean_real = output.mean().item()
    fake = gen(torch.randn(32, nz))
    label.fill_(0.0)
    output = dis(fake.detach()).view(-1)
    loss_fake = criterion(output, label)
    loss_fake.backward()
    opt_d.step()
    gen.zero_grad()
    label.fill_(1.0)
    output = dis(fake).view(-1)
    loss_g = criterion(output, label)
    loss_g.backward()
    opt_g.step()
    if it % 40 == 0:
        with torch.no_grad():
            sample = gen(fixed_noise)
        print(
            f"{it} D {(loss_real + loss_fake).item():.3f} G {loss_g.item():.3f} at {sample.mean(0).tolist()}"
        )
