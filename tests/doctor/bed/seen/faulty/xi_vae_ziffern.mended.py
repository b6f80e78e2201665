# expect: nothing
# Kleiner VAE auf den 8x8-Ziffern
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(0)

bilder, _ = load_digits(return_X_y=True)
bilder = torch.tensor(bilder / 16.0, dtype=torch.float32)
mischung = torch.randperm(len(bilder))
lern, pruef = bilder[mischung[:1500]], bilder[mischung[1500:]]


class VAE(nn.Module):
    def __init__(self, latent=6, breite=64):
        super().__init__()
        self.kodierer = nn.Sequential(nn.Linear(64, breite), nn.ReLU())
        self.mittel = nn.Linear(breite, latent)
        self.logvar = nn.Linear(breite, latent)
        self.dekodierer = nn.Sequential(nn.Linear(latent, breite), nn.ReLU(), nn.Linear(breite, 64))

    def forward(self, x):
        h = self.kodierer(x)
        mu, logvar = self.mittel(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return self.dekodierer(z), mu, logvar


def elbo_verlust(logits, x, mu, logvar):
    rekon = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1)
    return (rekon + kl).mean()


vae = VAE()
opt = torch.optim.Adam(vae.parameters(), lr=2e-3)

for epoche in range(1, 21):
    vae.train()
    summe = 0.0
    for teil in torch.randperm(len(lern)).split(50):
        x = lern[teil]
        logits, mu, logvar = vae(x)
        verlust = elbo_verlust(logits, x, mu, logvar)
        opt.zero_grad()
        verlust.backward()
        opt.step()
        summe += verlust.item() * len(x)
    if epoche % 4 == 0:
        vae.eval()
        with torch.no_grad():
            l, m, v = vae(pruef)
            pv = elbo_verlust(l, pruef, m, v).item()
        print(f"Epoche {epoche:2d}  Lernen {summe / len(lern):.3f}  Prüfung {pv:.3f}")
