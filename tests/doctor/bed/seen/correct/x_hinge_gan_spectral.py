# expect: nothing
# looks suspicious: the generator is sampled in train mode under no_grad for the other's turns, weights
# are renormalised in every forward pass, a hinge gives exact zeros, the generator steps every second turn.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.nn.utils.parametrizations import spectral_norm

torch.manual_seed(0)
images = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1
z_dim, batch_size, disc_iters = 12, 64, 2


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(z_dim, 64)
        self.bn = nn.BatchNorm1d(64)
        self.final = nn.Linear(64, 64)

    def forward(self, z):
        return torch.tanh(self.final(F.relu(self.bn(self.dense(z)))))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = spectral_norm(nn.Linear(64, 64))
        self.l2 = spectral_norm(nn.Linear(64, 64))
        self.l3 = spectral_norm(nn.Linear(64, 1))

    def forward(self, x):
        x = F.leaky_relu(self.l1(x), 0.1)
        return self.l3(F.leaky_relu(self.l2(x), 0.1))


discriminator, generator = Discriminator(), Generator()
optim_disc = torch.optim.Adam(discriminator.parameters(), lr=4e-4, betas=(0.0, 0.9))
optim_gen = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.0, 0.9))
scheduler_d = torch.optim.lr_scheduler.ExponentialLR(optim_disc, gamma=0.99)
scheduler_g = torch.optim.lr_scheduler.ExponentialLR(optim_gen, gamma=0.99)


def train(epoch):
    for batch_idx, rows in enumerate(torch.randperm(len(images)).split(batch_size)):
        data = images[rows]
        optim_disc.zero_grad()
        optim_gen.zero_grad()
        with torch.no_grad():
            fake = generator(torch.randn(len(data), z_dim))
        disc_loss = F.relu(1.0 - discriminator(data)).mean() + F.relu(1.0 + discriminator(fake)).mean()
        disc_loss.backward()
        optim_disc.step()
        if batch_idx % disc_iters == 0:
            optim_disc.zero_grad()
            optim_gen.zero_grad()
            gen_loss = -discriminator(generator(torch.randn(batch_size, z_dim))).mean()
            gen_loss.backward()
            optim_gen.step()
    scheduler_d.step()
    scheduler_g.step()
    print(f"epoch {epoch} disc loss {disc_loss.item():.4f} gen loss {gen_loss.item():.4f}")


def evaluate():
    generator.eval()
    with torch.no_grad():
        samples = generator(torch.randn(64, z_dim))
    generator.train()
    print(f"samples: mean {samples.mean().item():.3f}, data: mean {images.mean().item():.3f}")


for epoch in range(4):
    train(epoch)
evaluate()
