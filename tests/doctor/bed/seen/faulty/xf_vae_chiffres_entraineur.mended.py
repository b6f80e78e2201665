# expect: nothing
"""VAE sur les chiffres 8x8 : un objet Entraineur, elbo de controle a chaque palier."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

REGLAGES = {"latent": 8, "cache": 128, "pas": 2e-3, "lot": 64, "paliers": 12, "graine": 11}


class VAE(nn.Module):
    def __init__(self, entree, cache, latent):
        super().__init__()
        self.tronc = nn.Sequential(nn.Linear(entree, cache), nn.ReLU())
        self.mu = nn.Linear(cache, latent)
        self.logvar = nn.Linear(cache, latent)
        self.decodeur = nn.Sequential(
            nn.Linear(latent, cache), nn.ReLU(), nn.Linear(cache, entree)
        )

    def forward(self, x):
        h = self.tronc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        if self.training:
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        else:
            z = mu
        return self.decodeur(z), mu, logvar


def elbo_negative(x, logits, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)
    return rec + kl


class Entraineur:
    def __init__(self, modele, reglages):
        self.modele = modele
        self.opt = torch.optim.Adam(modele.parameters(), lr=reglages["pas"])
        self.journal = []

    def un_passage(self, chargeur):
        self.modele.train()
        cumul = 0.0
        for (x,) in chargeur:
            perte = elbo_negative(x, *self.modele(x)).mean()
            self.opt.zero_grad()
            perte.backward()
            self.opt.step()
            cumul += perte.item() * len(x)
        return cumul / len(chargeur.dataset)

    @torch.no_grad()
    def bilan(self, chargeur):
        self.modele.eval()
        par_image = []
        for (x,) in chargeur:
            sortie = self.modele(x)
            par_image.extend(elbo_negative(x, *sortie).tolist())
        return float(np.mean(par_image)), float(np.std(par_image))

    def lancer(self, appr, valid, paliers):
        for p in range(1, paliers + 1):
            a = self.un_passage(appr)
            if p % 4 == 0:
                moy, ecart = self.bilan(valid)
                self.journal.append((p, a, moy, ecart))
                print(f"palier {p:2d}  appr {a:.2f}  valid {moy:.2f} (+/- {ecart:.2f})")


def principal():
    torch.manual_seed(REGLAGES["graine"])
    images = load_digits().data.astype(np.float32) / 16.0
    xa, xv = train_test_split(images, test_size=0.25, random_state=REGLAGES["graine"])
    appr = DataLoader(TensorDataset(torch.from_numpy(xa)), batch_size=REGLAGES["lot"], shuffle=True)
    valid = DataLoader(TensorDataset(torch.from_numpy(xv)), batch_size=256)
    modele = VAE(xa.shape[1], REGLAGES["cache"], REGLAGES["latent"])
    Entraineur(modele, REGLAGES).lancer(appr, valid, REGLAGES["paliers"])

    modele.eval()
    with torch.no_grad():
        neuves = torch.sigmoid(modele.decodeur(torch.randn(200, REGLAGES["latent"])))
    print("encre moyenne : vraies", round(float(xv.mean()), 3), "tirees", round(neuves.mean().item(), 3))


if __name__ == "__main__":
    principal()
