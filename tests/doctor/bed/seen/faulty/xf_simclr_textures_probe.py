# expect: no_step @ 60
# allowed: no_step @ 71
# allowed: no_step @ 72
# allowed: no_step @ 69
"""Vortraining mit Kontrast (NT-Xent) auf Texturen, danach lineare Probe.

Große effektive Batches durch Gradientenakkumulation.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression

torch.manual_seed(8)
KLASSEN, SEITE = 6, 20


def texturen(n):
    """Streifen mit klassenabhängiger Richtung, zufälliger Phase und Frequenz."""
    y = torch.arange(n) % KLASSEN
    winkel = y * math.pi / KLASSEN + 0.12 * torch.randn(n)
    freq = 0.9 + 0.6 * torch.rand(n)
    phase = 2 * math.pi * torch.rand(n)
    v, u = torch.meshgrid(torch.arange(SEITE), torch.arange(SEITE), indexing="ij")
    richtung = winkel.cos()[:, None, None] * u + winkel.sin()[:, None, None] * v
    x = torch.sin(freq[:, None, None] * richtung + phase[:, None, None])
    return (x + 0.8 * torch.randn_like(x))[:, None], y


def ansicht(x):
    o, p = torch.randint(0, 5, (2,)).tolist()
    x = x[:, :, o:o + 16, p:p + 16]
    return x * (0.7 + 0.6 * torch.rand(len(x), 1, 1, 1)) + 0.2 * torch.randn_like(x)


def nt_xent(a, b, tau=0.2):
    z = F.normalize(torch.cat([a, b]), dim=1)
    s = (z @ z.T / tau).fill_diagonal_(-1e9)
    n = len(a)
    ziel = torch.cat([torch.arange(n) + n, torch.arange(n)])
    return F.cross_entropy(s, ziel)


class Kodierer(nn.Module):
    def __init__(self, merkmale=24, projektion=16):
        super().__init__()
        self.stamm = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, merkmale, 3), nn.BatchNorm2d(merkmale), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.projektor = nn.Sequential(
            nn.Linear(merkmale, 32), nn.ReLU(), nn.Linear(32, projektion))

    def forward(self, x):
        return self.projektor(self.stamm(x))


def vortraining(modell, x, epochen=12, batch=64, akkumulieren=16):
    opt = torch.optim.Adam(modell.parameters(), lr=4e-3)
    for ep in range(epochen):
        modell.train()
        opt.zero_grad()
        summe = 0.0
        bloecke = torch.randperm(len(x)).split(batch)
        for i, idx in enumerate(bloecke, start=1):
            verlust = nt_xent(modell(ansicht(x[idx])), modell(ansicht(x[idx])))
            (verlust / akkumulieren).backward()
            summe += verlust.item()
            if i % akkumulieren == 0:
                opt.step()
                opt.zero_grad()
        print(f"Epoche {ep:2d}  NT-Xent {summe / len(bloecke):.3f}")


@torch.no_grad()
def merkmale(modell, x):
    modell.eval()
    return modell.stamm(x[:, :, 2:18, 2:18]).numpy()


xt, yt = texturen(768)
xp, yp = texturen(360)
modell = Kodierer()
vortraining(modell, xt)
probe = LogisticRegression(C=1.0, max_iter=2000)
probe.fit(merkmale(modell, xt[:60]), yt[:60])
print(f"lineare Probe (60 Etiketten): {probe.score(merkmale(modell, xp), yp):.3f}")
