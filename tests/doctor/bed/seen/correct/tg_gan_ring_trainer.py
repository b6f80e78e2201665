# expect: nothing
"""A DCGAN-example-like loop on 2-D points: discriminator on detached fakes, generator through D."""
import math

import torch
from torch import nn


def real_batch(n: int) -> torch.Tensor:
    angle = 2 * math.pi * torch.rand(n)
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(n, 2)


class Generator(nn.Module):
    def __init__(self, nz: int) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(nz, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.main(x).squeeze(1)


def main(nz: int = 4, batch: int = 128, steps: int = 500) -> None:
    torch.manual_seed(0)
    netG, netD = Generator(nz), Discriminator()
    criterion = nn.BCEWithLogitsLoss()
    optD = torch.optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optG = torch.optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
    ones, zeros = torch.ones(batch), torch.zeros(batch)
    for step in range(steps):
        real, fake = real_batch(batch), netG(torch.randn(batch, nz))
        netD.zero_grad()
        errD = criterion(netD(real), ones) + criterion(netD(fake.detach()), zeros)
        errD.backward()
        optD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), ones)
        errG.backward()
        optG.step()
        if step % 125 == 124:
            print(f"[{step + 1}/{steps}] Loss_D {errD.item():.4f} Loss_G {errG.item():.4f}")
    netG.eval()
    with torch.no_grad():
        radius = netG(torch.randn(2000, nz)).norm(dim=1)
    print(f"generated radius mean {radius.mean().item():.3f} std {radius.std().item():.3f}")


if __name__ == "__main__":
    main()
