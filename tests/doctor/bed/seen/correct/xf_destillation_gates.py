# expect: nothing
"""Destillation: ein kleines Netz mit Gates lernt die weichen Ausgaben eines groesseren."""
import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from sklearn.preprocessing import StandardScaler
from torch import nn


class Gate(nn.Module):
    def __init__(self, ein, aus):
        super().__init__()
        self.wert, self.tor = nn.Linear(ein, aus), nn.Linear(ein, aus)

    def forward(self, x):
        return self.wert(x) * torch.sigmoid(self.tor(x))


class Netz(nn.Module):
    def __init__(self, breit, tief):
        super().__init__()
        groessen = [2] + [breit] * tief
        self.stamm = nn.Sequential(*(Gate(a, b) for a, b in zip(groessen, groessen[1:])))
        self.kopf = nn.Linear(breit, 1)

    def forward(self, x):
        return self.kopf(self.stamm(x)).squeeze(1)

    @torch.no_grad()
    def wahrscheinlichkeit(self, x):
        self.eval()
        return torch.sigmoid(self(x))


class Lehrgang:
    def __init__(self, netz, ziel, rate=5e-3, decay=0.0):
        self.netz, self.ziel = netz, ziel
        self.opt = torch.optim.AdamW(netz.parameters(), lr=rate, weight_decay=decay)

    def epoche(self, x, y):
        self.netz.train()
        summe = 0.0
        for idx in torch.randperm(len(x)).split(40):
            verlust = self.ziel(self.netz(x[idx]), x[idx], y[idx])
            self.opt.zero_grad()
            verlust.backward()
            self.opt.step()
            summe += verlust.item() * len(idx)
        return summe / len(x)


def hart(logits, x, y):
    return F.binary_cross_entropy_with_logits(logits, y)


def weich(lehrer, temperatur=2.0, anteil=0.7):
    def ziel(logits, x, y):
        with torch.no_grad():
            vorgabe = torch.sigmoid(lehrer(x) / temperatur)
        lehre = F.binary_cross_entropy_with_logits(logits / temperatur, vorgabe) * temperatur**2
        return anteil * lehre + (1 - anteil) * hart(logits, x, y)
    return ziel


def treffer(netz, x, y):
    return ((netz.wahrscheinlichkeit(x) > 0.5).float() == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(19)
    roh, marke = make_moons(1500, noise=0.2, random_state=19)
    skala = StandardScaler().fit(roh[:1000])
    x = torch.tensor(skala.transform(roh), dtype=torch.float32)
    y = torch.tensor(marke, dtype=torch.float32)
    xa, ya, xb, yb = x[:1000], y[:1000], x[1000:], y[1000:]

    lehrer = Netz(48, 3)
    gang = Lehrgang(lehrer, hart, decay=0.05)
    for e in range(16):
        v = gang.epoche(xa, ya)
    print(f"Lehrer: Verlust {v:.4f}  Test {treffer(lehrer, xb, yb):.3f}")

    lehrer.eval().requires_grad_(False)
    schueler = Netz(16, 2)
    gang = Lehrgang(schueler, weich(lehrer))
    for e in range(24):
        v = gang.epoche(xa, ya)
        if e % 6 == 5:
            print(f"Schueler {e + 1:2d}: Verlust {v:.4f}")
    print(f"Schueler: Test {treffer(schueler, xb, yb):.3f}")
