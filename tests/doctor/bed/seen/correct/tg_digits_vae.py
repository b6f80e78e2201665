# expect: nothing
"""Variational autoencoder on digits with a KL warm-up; the decoder ends in logits."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class VAE(nn.Module):
    def __init__(self, z=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.mu, self.logvar = nn.Linear(96, z), nn.Linear(96, z)
        self.dec = nn.Sequential(nn.Linear(z, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.dec(z), mu, logvar


def elbo(x, logits, mu, logvar, beta):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    kl = (-0.5 * (1 + logvar - mu.square() - logvar.exp()).sum(1)).mean()
    return rec + beta * kl, rec, kl


torch.manual_seed(14)
X = load_digits().data / 16.0
train, test = (torch.tensor(a, dtype=torch.float32) for a in train_test_split(X, test_size=0.2, random_state=14))
vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3)
for epoch in range(20):
    vae.train()
    beta = min(1.0, (epoch + 1) / 8)
    for idx in torch.randperm(len(train)).split(64):
        x = train[idx]
        loss, rec, kl = elbo(x, *vae(x), beta)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: beta {beta:.2f} rec {rec.item():.2f} kl {kl.item():.2f}")

vae.eval()
with torch.no_grad():
    logits, mu, logvar = vae(test)
    mse = F.mse_loss(torch.sigmoid(logits), test)
    base = F.mse_loss(train.mean(0).expand_as(test), test)
print(f"reconstruction mse {mse:.4f} (mean image {base:.4f})")
