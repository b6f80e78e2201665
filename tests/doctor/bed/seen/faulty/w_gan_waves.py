# expect: bad_label_values @ 33
"""GAN for noisy sine waves of 24 samples, with softened and now and then flipped labels for the discriminator."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

LATENT, POINTS = 6, 24


def waves(n, rng):
    t = np.linspace(0, 2 * np.pi, POINTS)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    amp = rng.uniform(0.5, 0.9, (n, 1))
    return (amp * np.sin(t + phase) + 0.02 * rng.standard_normal((n, POINTS))).astype(np.float32)


def generator():
    return nn.Sequential(
        nn.Linear(LATENT, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, POINTS), nn.Tanh()
    )


def discriminator():
    return nn.Sequential(
        nn.Linear(POINTS, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )


def soft_labels(n, real, flip=0.02):
    """Label smoothing: a range in place of a hard zero or one."""
    if real:
        low, high = 0.7, 1.2
    else:
        low, high = 0.0, 0.2
    y = torch.empty(n, 1).uniform_(low, high)
    flipped = torch.rand(n, 1) < flip
    return torch.where(flipped, (1.0 - y).abs(), y)


class WaveGAN:
    def __init__(self, lr=1e-3):
        self.g, self.d = generator(), discriminator()
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=lr, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=lr, betas=(0.5, 0.99))
        self.bce = nn.BCEWithLogitsLoss()

    def d_step(self, real):
        n = len(real)
        with torch.no_grad():
            fake = self.g(torch.randn(n, LATENT))
        loss = self.bce(self.d(real), soft_labels(n, True)) + self.bce(self.d(fake), soft_labels(n, False))
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def g_step(self, n):
        score = self.d(self.g(torch.randn(n, LATENT)))
        loss = self.bce(score, torch.ones_like(score))
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    @torch.no_grad()
    def sample(self, n):
        self.g.eval()
        out = self.g(torch.randn(n, LATENT))
        self.g.train()
        return out


def sine_residual(x):
    """How far each wave is from the best sine of period one, relative to its size."""
    t = torch.linspace(0, 2 * torch.pi, POINTS)
    basis = torch.stack([t.sin(), t.cos()], dim=1)
    coef = torch.linalg.lstsq(basis, x.T).solution
    return ((x.T - basis @ coef).norm(dim=0) / x.norm(dim=1)).mean().item()


def main():
    torch.manual_seed(4)
    rng = np.random.default_rng(4)
    loader = DataLoader(TensorDataset(torch.from_numpy(waves(2048, rng))), batch_size=64, shuffle=True, drop_last=True)
    gan = WaveGAN()
    for epoch in range(16):
        d_sum = g_sum = 0.0
        for (real,) in loader:
            d_sum += gan.d_step(real)
            g_sum += gan.g_step(len(real))
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: d {d_sum / len(loader):.3f} g {g_sum / len(loader):.3f}")
    fresh = torch.from_numpy(waves(500, rng))
    print(f"residual: made {sine_residual(gan.sample(500)):.3f}, real {sine_residual(fresh):.3f}")


if __name__ == "__main__":
    main()
