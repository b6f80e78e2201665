# expect: nothing
"""Petit VAE sur les chiffres 8x8 : reconstruction et tirages."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(42)
LATENT, EPOQUES, LOT = 8, 24, 64


class Encodeur(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.tronc = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
        self.moyenne = nn.Linear(96, latent)
        self.logvar = nn.Linear(96, latent)

    def forward(self, x):
        h = self.tronc(x)
        return self.moyenne(h), self.logvar(h)


class Decodeur(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.reseau = nn.Sequential(nn.Linear(latent, 96), nn.ReLU(), nn.Linear(96, 64))

    def forward(self, z):
        return torch.sigmoid(self.reseau(z))


class VAE(nn.Module):
    def __init__(self, latent=LATENT):
        super().__init__()
        self.enc, self.dec = Encodeur(latent), Decodeur(latent)

    def forward(self, x):
        mu, logvar = self.enc(x)
        z = mu
        if self.training:
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.dec(z), mu, logvar


def elbo_negatif(x, image, mu, logvar, beta=0.5):
    rec = F.binary_cross_entropy(image, x, reduction="none").sum(dim=1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1)
    return (rec + beta * kl).mean()


pixels = load_digits().data / 16.0
appr, test = train_test_split(torch.tensor(pixels, dtype=torch.float32), test_size=0.2, random_state=42)

vae = VAE()
optim = torch.optim.Adam(vae.parameters(), lr=2e-3)
for epoque in range(1, EPOQUES + 1):
    vae.train()
    cumul = 0.0
    for indices in torch.randperm(len(appr)).split(LOT):
        x = appr[indices]
        optim.zero_grad()
        perte = elbo_negatif(x, *vae(x))
        perte.backward()
        optim.step()
        cumul += perte.item() * len(x)
    if epoque % 6 == 0:
        print(f"époque {epoque:3d}  -ELBO {cumul / len(appr):.3f}")

vae.eval()
with torch.no_grad():
    image, _, _ = vae(test)
    eqm = (image - test).pow(2).mean().item()
    repere = (appr.mean(dim=0) - test).pow(2).mean().item()
    tirages = vae.dec(torch.randn(500, LATENT))
print(f"EQM de reconstruction {eqm:.4f} (image moyenne : {repere:.4f})")
print(f"luminosité des tirages {tirages.mean().item():.3f}, des vraies {test.mean().item():.3f}")
