# expect: nothing
"""Variational autoencoder on digits with KL warm-up; the log shows a smoothed training loss."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 80), nn.Tanh(), nn.Linear(80, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent, 80), nn.Tanh(), nn.Linear(80, 64))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=-1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


class Meter:
    """Exponentially smoothed scalar for the progress line."""

    def __init__(self, beta=0.98):
        self.beta, self.value = beta, None

    def update(self, v):
        if self.value is None:
            self.value = v
        else:
            self.value = self.beta * self.value + (1 - self.beta) * v

    def __str__(self):
        return f"{float(self.value):.3f}"


def elbo(recon, x, mu, logvar, beta):
    rec = F.binary_cross_entropy_with_logits(recon, x, reduction="none").sum(1).mean()
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
    return rec + beta * kl


torch.manual_seed(9)
pixels = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
order = torch.randperm(len(pixels))
train, test = pixels[order[:1500]], pixels[order[1500:]]
loader = DataLoader(TensorDataset(train), batch_size=75, shuffle=True)
vae, meter = VAE(), Meter()
optimizer = torch.optim.Adam(vae.parameters(), lr=3e-3)
for epoch in range(15):
    vae.train()
    beta = min(1.0, (epoch + 1) / 5)
    for (x,) in loader:
        loss = elbo(*(lambda r, m, v: (r, x, m, v))(*vae(x)), beta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        meter.update(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch} smoothed loss {meter}")

vae.eval()
with torch.no_grad():
    recon, mu, logvar = vae(test)
    print(f"test negative elbo {elbo(recon, test, mu, logvar, 1.0).item():.3f}")
