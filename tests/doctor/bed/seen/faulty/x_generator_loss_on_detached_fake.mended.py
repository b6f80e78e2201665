# expect: nothing
"""GAN for a mixture of two Gaussians; the fake batch is made once per turn and used in both losses."""

import torch
import torch.nn as nn

torch.manual_seed(13)


class Generator(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, z):
        return self.model(z)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, point):
        return self.model(point)


latent_dim, batch_size = 6, 64
adversarial_loss = nn.BCELoss()
generator, discriminator = Generator(latent_dim), Discriminator()
optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
valid, fake = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)

for i in range(150):
    side = torch.randint(0, 2, (batch_size, 1)) * 4.0 - 2.0
    real = side + 0.2 * torch.randn(batch_size, 2)

    gen = generator(torch.randn(batch_size, latent_dim))
    optimizer_d.zero_grad()
    real_loss = adversarial_loss(discriminator(real), valid)
    fake_loss = adversarial_loss(discriminator(gen.detach()), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_d.step()

    optimizer_g.zero_grad()
    g_loss = adversarial_loss(discriminator(gen), valid)
    g_loss.backward()
    optimizer_g.step()
    if i % 50 == 0:
        print(f"[{i}] [D loss: {d_loss.item():.4f}] [G loss: {g_loss.item():.4f}]")
