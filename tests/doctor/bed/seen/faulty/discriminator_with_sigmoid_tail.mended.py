# expect: nothing
# mends: discriminator_with_sigmoid_tail.py
"""A GAN whose discriminator ends in Sigmoid while the loss has its own."""

import torch
from torch import nn

torch.manual_seed(3)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Linear(2, 32),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(32, 16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(16, 1),
        )

    def forward(self, x):
        return self.main(x).view(-1)


class Generator(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(nz, 32), nn.ReLU(True), nn.Linear(32, 2))

    def forward(self, z):
        return self.main(z)


disc, gen = Discriminator(), Generator(4)
adversarial_loss = nn.BCEWithLogitsLoss()
opt_gen = torch.optim.Adam(gen.parameters(), lr=2e-3, betas=(0.5, 0.9))
opt_disc = torch.optim.Adam(disc.parameters(), lr=2e-3, betas=(0.5, 0.9))
valid, fake = torch.ones(64), torch.zeros(64)
for step in range(100):
    real = torch.randn(64, 2) * torch.tensor([1.0, 0.2]) + 2
    z = torch.randn(64, 4)

    opt_gen.zero_grad()
    made = gen(z)
    g_loss = adversarial_loss(disc(made), valid)
    g_loss.backward()
    opt_gen.step()

    opt_disc.zero_grad()
    d_loss = (adversarial_loss(disc(real), valid) + adversarial_loss(disc(made.detach()), fake)) / 2
    d_loss.backward()
    opt_disc.step()
    if step % 25 == 0:
        print(f"[Batch {step}] [D loss: {d_loss.item():.4f}] [G loss: {g_loss.item():.4f}]")
