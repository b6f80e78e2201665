# expect: nothing
"""Pré-entraîne un tronc sur les chiffres 0-4, puis le réutilise gelé pour 5-9."""
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(31)


def tronc():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten())


class Transfert(nn.Module):
    """Le tronc gelé garde ses statistiques : il reste en mode eval même après train()."""

    def __init__(self, base):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.tete = nn.Sequential(nn.Linear(32 * 16, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 5))

    def train(self, mode=True):
        super().train(mode)
        self.base.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            z = self.base(x)
        return self.tete(z)


@contextmanager
def en_evaluation(m):
    avant = m.training
    m.eval()
    try:
        with torch.no_grad():
            yield m
    finally:
        m.train(avant)


def score(m, x, y):
    with en_evaluation(m):
        return (m(x).argmax(1) == y).float().mean().item()


def entrainer(m, x, y, xv, yv, tours, lr):
    opt = torch.optim.Adam([p for p in m.parameters() if p.requires_grad], lr=lr)
    m.train()
    for t in range(tours):
        somme = 0.0
        for idx in torch.randperm(len(x)).split(48):
            perte = F.cross_entropy(m(x[idx]), y[idx])
            opt.zero_grad()
            perte.backward()
            opt.step()
            somme += perte.item() * len(idx)
        if t % 2 == 1:
            print(f"  tour {t + 1}: perte {somme / len(x):.4f}  validation {score(m, xv, yv):.4f}")


def decouper(x, y):
    xa, xr, ya, yr = train_test_split(x, y, test_size=0.4, stratify=y, random_state=31)
    xv, xe, yv, ye = train_test_split(xr, yr, test_size=0.5, stratify=yr, random_state=31)
    return xa, ya, xv, yv, xe, ye


d = load_digits()
X = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16
Y = torch.tensor(d.target)
bas, haut = Y < 5, Y >= 5

print("source 0-4")
xa, ya, xv, yv, xe, ye = decouper(X[bas], Y[bas])
source = nn.Sequential(tronc(), nn.Linear(32 * 16, 5))
entrainer(source, xa, ya, xv, yv, 4, 2e-3)
print(f"  essai {score(source, xe, ye):.4f}")

print("cible 5-9, tronc gelé")
xa, ya, xv, yv, xe, ye = decouper(X[haut], Y[haut] - 5)
modele = Transfert(source[0])
entrainer(modele, xa, ya, xv, yv, 8, 3e-3)
print(f"  essai {score(modele, xe, ye):.4f}")
