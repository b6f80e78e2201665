# expect: target_broadcast @ 78
# allowed: target_broadcast @ 54
# allowed: target_broadcast @ 50
# allowed: target_broadcast @ 36
"""Compter des taches lumineuses : régression du nombre sur de petites images."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument("--epoques", type=int, default=10)
parser.add_argument("--graine", type=int, default=5)
args = parser.parse_args()
torch.manual_seed(args.graine)


class Taches(Dataset):
    def __init__(self, n, taille=20, graine=0):
        g = np.random.default_rng(graine)
        yy, xx = np.mgrid[:taille, :taille]
        self.images = np.zeros((n, taille, taille), np.float32)
        self.nombres = g.integers(0, 9, n)
        for img, k in zip(self.images, self.nombres):
            for cx, cy in g.uniform(2, taille - 2, (k, 2)):
                img += np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / 2.0)
            img += g.normal(0, 0.1, img.shape)

    def __len__(self):
        return len(self.nombres)

    def __getitem__(self, i):
        image = torch.from_numpy(self.images[i])[None]
        return image, float(self.nombres[i])


class Compteur(nn.Module):
    def __init__(self):
        super().__init__()
        self.traits = nn.Sequential(
            nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(),
            nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(),
        )
        self.densite = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        # le nombre est l'intégrale de la carte de densité
        return self.densite(self.traits(x)).mean((2, 3)) * 20


def perte_huber(sortie, cible, delta=1.0):
    e = (sortie - cible).abs()
    return torch.where(e < delta, 0.5 * e ** 2, delta * (e - 0.5 * delta)).mean()


def evaluer(modele, chargeur):
    modele.eval()
    erreurs = []
    with torch.no_grad():
        for x, n in chargeur:
            erreurs.append((modele(x).flatten() - n.float()).abs())
    return torch.cat(erreurs).mean().item()


donnees = Taches(1000, graine=args.graine)
app, test = random_split(donnees, [760, 240])
ch_app = DataLoader(app, batch_size=20, shuffle=True)
ch_test = DataLoader(test, batch_size=120)

modele = Compteur()
optim = torch.optim.Adam(modele.parameters(), lr=5e-3)
for e in range(args.epoques):
    modele.train()
    pertes = []
    for x, n in ch_app:
        perte = perte_huber(modele(x), n.float())
        optim.zero_grad()
        perte.backward()
        optim.step()
        pertes.append(perte.item())
    print(f"époque {e + 1:2d}  perte {np.mean(pertes):.3f}")

print(f"erreur absolue moyenne (test) : {evaluer(modele, ch_test):.3f} taches")
