# expect: missing_zero_grad @ 76
"""Adversarial training on 8x8 handwritten zeros, after the DCGAN example, with dense layers for speed."""
import argparse

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--batchSize", type=int, default=16)
parser.add_argument("--nz", type=int, default=12, help="size of the latent z vector")
parser.add_argument("--ngf", type=int, default=64)
parser.add_argument("--ndf", type=int, default=64)
parser.add_argument("--niter", type=int, default=90)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--beta1", type=float, default=0.5)
parser.add_argument("--manualSeed", type=int, default=7)
opt = parser.parse_args([])
torch.manual_seed(opt.manualSeed)

raw = load_digits()
zeros = torch.tensor(raw.images[raw.target == 0], dtype=torch.float32)
zeros = (zeros / 8.0 - 1.0).view(-1, 64)
order = torch.randperm(len(zeros))
reference, real_images = zeros[order[:40]], zeros[order[40:]]
dataloader = torch.utils.data.DataLoader(real_images, batch_size=opt.batchSize, shuffle=True, drop_last=True)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(opt.nz, opt.ngf), nn.LeakyReLU(0.2),
            nn.Linear(opt.ngf, opt.ngf), nn.LeakyReLU(0.2),
            nn.Linear(opt.ngf, 64), nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(64, opt.ndf), nn.LeakyReLU(0.2),
            nn.Linear(opt.ndf, opt.ndf), nn.LeakyReLU(0.2),
            nn.Linear(opt.ndf, 1),
        )

    def forward(self, x):
        return self.main(x).squeeze(1)


netG, netD = Generator(), Discriminator()
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=opt.lr, betas=(opt.beta1, 0.999))

for epoch in range(opt.niter):
    for data in dataloader:
        batch_size = data.size(0)
        ones, nils = torch.ones(batch_size), torch.zeros(batch_size)

        # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        errD_real = criterion(netD(data), ones)
        errD_real.backward()
        noise = torch.randn(batch_size, opt.nz)
        fake = netG(noise)
        errD_fake = criterion(netD(fake.detach()), nils)
        errD_fake.backward()
        optimizerD.step()

        # (2) Update G network: maximize log(D(G(z)))
        netD.zero_grad()
        errG = criterion(netD(fake), ones)
        errG.backward()
        optimizerG.step()
    if (epoch + 1) % 30 == 0:
        print(f"[{epoch + 1}/{opt.niter}] Loss_D {(errD_real + errD_fake).item():.3f} Loss_G {errG.item():.3f}")

netG.eval()
with torch.no_grad():
    samples = netG(torch.randn(400, opt.nz))
gap = (samples.mean(0) - reference.mean(0)).abs().mean().item()
spread = (samples.std(0).mean() / reference.std(0).mean()).item()
print(f"mean image gap {gap:.3f}, spread ratio {spread:.2f}")
