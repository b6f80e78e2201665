# expect: nothing
# SN-GAN with hinge loss, after the layout of the PyTorch DCGAN example (8x8 digits instead of faces)
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.nn.utils.parametrizations import spectral_norm

manualSeed = 999
random.seed(manualSeed)
torch.manual_seed(manualSeed)

nz, ngf, ndf = 24, 12, 12
batch_size, num_epochs = 64, 5
lrG, lrD, betas = 2e-3, 2e-3, (0.5, 0.999)

# pixels 0..16 -> [-1, 1]
pictures = torch.from_numpy((load_digits().images / 8.0 - 1.0).astype(np.float32)).unsqueeze(1)
dataloader = torch.utils.data.DataLoader(pictures, batch_size=batch_size, shuffle=True, drop_last=True)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("ConvTranspose") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False), nn.Tanh(),
        )

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            spectral_norm(nn.Conv2d(1, ndf, 3, 1, 1)), nn.LeakyReLU(0.1, inplace=True),
            spectral_norm(nn.Conv2d(ndf, ndf * 2, 4, 2, 1)), nn.LeakyReLU(0.1, inplace=True),
            spectral_norm(nn.Conv2d(ndf * 2, 1, 4, 1, 0)),
        )

    def forward(self, img):
        return self.main(img).view(-1)


netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
fixed_noise = torch.randn(128, nz, 1, 1)
optimizerD = optim.Adam(netD.parameters(), lr=lrD, betas=betas)
optimizerG = optim.Adam(netG.parameters(), lr=lrG, betas=betas)
G_losses, D_losses = [], []

for epoch in range(num_epochs):
    netG.train()
    netD.train()
    for real in dataloader:
        # (1) D: relu(1 - D(x)) + relu(1 + D(G(z))), two backward passes into the same gradients
        netD.zero_grad()
        errD_real = torch.relu(1.0 - netD(real)).mean()
        errD_real.backward()
        fake = netG(torch.randn(real.size(0), nz, 1, 1))
        errD_fake = torch.relu(1.0 + netD(fake.detach())).mean()
        errD_fake.backward()
        optimizerD.step()

        # (2) G: the same fake batch again, this time with its graph
        netG.zero_grad()
        errG = -netD(fake).mean()
        errG.backward()
        optimizerG.step()

        G_losses.append(errG.item())
        D_losses.append(errD_real.item() + errD_fake.item())

    netG.eval()
    with torch.no_grad():
        grid = netG(fixed_noise)
    n = len(dataloader)
    mean_gap = (grid.mean(dim=0) - pictures.mean(dim=0)).abs().mean().item()
    print("[%d/%d] Loss_D: %.4f Loss_G: %.4f  gap between mean pictures: %.4f"
          % (epoch + 1, num_epochs, np.mean(D_losses[-n:]), np.mean(G_losses[-n:]), mean_gap))
