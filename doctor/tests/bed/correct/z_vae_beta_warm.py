# expect: nothing
"""A VAE with a warm-up of beta and a summed reconstruction, samples looked at in the end."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(4)
pixels = torch.tensor(load_digits().data, dtype=torch.float32) / 16
pixels = pixels[torch.randperm(len(pixels))]


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.enc = nn.Linear(64, 48)
        self.mu, self.logvar = nn.Linear(48, latent), nn.Linear(48, latent)
        self.dec = nn.Sequential(nn.Linear(latent, 48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid())

    def forward(self, x):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        return self.dec(z), mu, logvar


def elbo(recon, x, mu, logvar, beta):
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + beta * kld


vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=1e-3)
for epoch in range(5):
    vae.train()
    train_loss = 0
    beta = min(1.0, (epoch + 1) / 3)
    for x in DataLoader(pixels[:1500], batch_size=100, shuffle=True):
        optimizer.zero_grad()
        loss = elbo(*[(r := vae(x))[0], x, r[1], r[2]], beta)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
    vae.eval()
    with torch.no_grad():
        r, mu, logvar = vae(pixels[1500:])
        test_loss = elbo(r, pixels[1500:], mu, logvar, 1.0).item()
    print(f"epoch {epoch} train {train_loss / 1500:.3f} test {test_loss / 297:.3f}")
with torch.no_grad():
    print("sample mean", vae.dec(torch.randn(32, 4)).mean().item())
