# expect: nothing
"""Segmentierung heller Flecken mit SAM (zwei Rueckwaertslaeufe je Schritt)."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(40)
KANTE = 20


def szenen(n, zufall):
    yy, xx = np.mgrid[:KANTE, :KANTE]
    bild = zufall.normal(0, 0.3, (n, 1, KANTE, KANTE)).astype(np.float32)
    maske = np.zeros_like(bild)
    for i in range(n):
        for _ in range(3):
            cy, cx = zufall.uniform(4, KANTE - 4, 2)
            a, b = zufall.uniform(3, 6, 2)
            maske[i, 0][((yy - cy) / a) ** 2 + ((xx - cx) / b) ** 2 < 1] = 1.0
    return torch.from_numpy(bild + 0.8 * maske), torch.from_numpy(maske)


class SAM:
    """erst ein Schritt bergauf, dort der Gradient, dann von der alten Stelle aus bergab"""

    def __init__(self, parameter, basis, rho=0.05):
        self.parameter = list(parameter)
        self.basis = basis
        self.rho = rho

    def schritt(self, verlust_fn):
        verlust = verlust_fn()
        verlust.backward()
        with torch.no_grad():
            norm = torch.stack([p.grad.norm() for p in self.parameter]).norm() + 1e-12
            weg = [self.rho * p.grad / norm for p in self.parameter]
            for p, w in zip(self.parameter, weg):
                p.add_(w)
        self.basis.zero_grad()
        verlust_fn().backward()
        with torch.no_grad():
            for p, w in zip(self.parameter, weg):
                p.sub_(w)
        self.basis.step()
        self.basis.zero_grad()
        return verlust.item()


def netz(breite=10):
    return nn.Sequential(
        nn.Conv2d(1, breite, 3, padding=1), nn.GroupNorm(2, breite), nn.ReLU(),
        nn.Conv2d(breite, breite, 3, padding=2, dilation=2), nn.GroupNorm(2, breite), nn.ReLU(),
        nn.Conv2d(breite, 1, 1),
    )


@torch.no_grad()
def ueberdeckung(modell, x, m):
    modell.eval()
    p, t = modell(x) > 0, m > 0.5
    return ((p & t).sum() / (p | t).sum()).item()


zufall = np.random.default_rng(40)
x_lern, m_lern = szenen(121, zufall)
x_pruef, m_pruef = szenen(60, zufall)

modell = netz()
sam = SAM(modell.parameters(), torch.optim.Adam(modell.parameters(), lr=5e-3))

for epoche in range(8):
    modell.train()
    summe, zahl = 0.0, 0
    # 121 Bilder in Zehnern: der letzte Stapel hat ein Bild, GroupNorm stoert das nicht
    for idx in torch.randperm(len(x_lern)).split(10):
        xb, mb = x_lern[idx], m_lern[idx]
        summe += sam.schritt(lambda: F.binary_cross_entropy_with_logits(modell(xb), mb)) * len(idx)
        zahl += len(idx)
    if epoche % 2 == 1:
        print(f"Epoche {epoche + 1}: Verlust {summe / zahl:.4f}")

print(f"IoU Lernbilder {ueberdeckung(modell, x_lern, m_lern):.3f}")
print(f"IoU Pruefbilder {ueberdeckung(modell, x_pruef, m_pruef):.3f}")
