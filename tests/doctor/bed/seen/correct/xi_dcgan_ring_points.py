# expect: nothing
# GAN on four Gaussian blobs on a ring, in the form of the DCGAN example
import math
import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(999)
nz, ngf, batch_size, iters = 8, 64, 128, 800


def real_batch(n):
    k = torch.randint(0, 4, (n,)).float() * math.pi / 2
    return torch.stack([k.cos(), k.sin()], dim=1) + 0.2 * torch.randn(n, 2)


netG = nn.Sequential(nn.Linear(nz, ngf), nn.ReLU(True), nn.Linear(ngf, ngf), nn.ReLU(True), nn.Linear(ngf, 2))
netD = nn.Sequential(nn.Linear(2, ngf), nn.LeakyReLU(0.2), nn.Linear(ngf, ngf), nn.LeakyReLU(0.2), nn.Linear(ngf, 1))

criterion = nn.BCEWithLogitsLoss()
fixed_noise = torch.randn(512, nz)
optimizerD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.0, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.0, 0.999))

for i in range(iters):
    # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
    netD.zero_grad()
    label = torch.ones(batch_size)
    errD_real = criterion(netD(real_batch(batch_size)).view(-1), label)
    errD_real.backward()

    fake = netG(torch.randn(batch_size, nz))
    errD_fake = criterion(netD(fake.detach()).view(-1), torch.zeros(batch_size))
    errD_fake.backward()
    optimizerD.step()

    # (2) Update G network: maximize log(D(G(z)))
    netG.zero_grad()
    errG = criterion(netD(fake).view(-1), label)
    errG.backward()
    optimizerG.step()

    if (i + 1) % 200 == 0:
        with torch.no_grad():
            pts = netG(fixed_noise)
        radius = pts.norm(dim=1)
        sector = ((torch.atan2(pts[:, 1], pts[:, 0]) / (math.pi / 2)).round() % 4).long()
        share = (torch.bincount(sector, minlength=4) > 40).sum().item()
        print('[%d/%d] Loss_D: %.4f Loss_G: %.4f radius %.2f blobs %d' % (
            i + 1, iters, (errD_real + errD_fake).item(), errG.item(), radius.mean().item(), share))
