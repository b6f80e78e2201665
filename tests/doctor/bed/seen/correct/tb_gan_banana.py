# expect: nothing
"""A GAN on a bent cloud of points, after the PyTorch DCGAN example; the generator sampled at the end is a running mean."""
import copy

import torch
import torch.nn as nn
import torch.optim as optim

manual_seed = 999
nz, hidden, batch_size, num_iters = 2, 48, 128, 600
real_label, fake_label = 0.9, 0.0


def banana(n, generator):
    a, b = torch.randn(2, n, generator=generator)
    return torch.stack([a, 0.5 * a ** 2 - 0.5 + 0.4 * b], dim=1)


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(nz, hidden), nn.ReLU(True), nn.Linear(hidden, hidden), nn.ReLU(True),
                                  nn.Linear(hidden, 2))

    def forward(self, z):
        return self.main(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2),
                                  nn.Linear(hidden, 1))

    def forward(self, x):
        return self.main(x).view(-1)


def main():
    torch.manual_seed(manual_seed)
    source = torch.Generator().manual_seed(manual_seed)
    real_points, held_out = banana(4000, source), banana(1000, source)
    netG, netD = Generator().apply(weights_init), Discriminator().apply(weights_init)
    netG_mean = copy.deepcopy(netG).requires_grad_(False)
    criterion = nn.BCEWithLogitsLoss()
    optimizerD = optim.Adam(netD.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
    D_losses, G_losses = [], []

    for i in range(num_iters):
        # (1) update D: maximise log(D(x)) + log(1 - D(G(z)))
        netD.zero_grad()
        real = real_points[torch.randint(len(real_points), (batch_size,))]
        label = torch.full((batch_size,), real_label)
        errD_real = criterion(netD(real), label)
        errD_real.backward()
        fake = netG(torch.randn(batch_size, nz))
        label.fill_(fake_label)
        errD_fake = criterion(netD(fake.detach()), label)
        errD_fake.backward()
        optimizerD.step()

        # (2) update G: maximise log(D(G(z)))
        netG.zero_grad()
        label = torch.ones(batch_size)
        errG = criterion(netD(fake), label)
        errG.backward()
        optimizerG.step()
        with torch.no_grad():
            for slow, fast in zip(netG_mean.parameters(), netG.parameters()):
                slow.lerp_(fast, 0.02)

        D_losses.append((errD_real + errD_fake).item())
        G_losses.append(errG.item())
        if i % 200 == 0:
            print(f"[{i}/{num_iters}] Loss_D: {D_losses[-1]:.4f} Loss_G: {G_losses[-1]:.4f}")

    netG_mean.eval()
    with torch.no_grad():
        made = netG_mean(torch.randn(1000, nz))
    distance = torch.cdist(made, held_out).min(dim=1).values
    covered = torch.cdist(held_out, made).min(dim=1).values
    for name, points in (("made", made), ("held-out", held_out)):
        print(f"{name:8s} mean {[round(v, 2) for v in points.mean(0).tolist()]} spread {[round(v, 2) for v in points.std(0).tolist()]}")
    print(f"made to nearest held-out {distance.mean().item():.3f}, held-out to nearest made {covered.mean().item():.3f}")


if __name__ == "__main__":
    main()
