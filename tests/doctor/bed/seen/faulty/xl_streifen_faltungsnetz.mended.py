# expect: nothing
# Tiefes Faltungsnetz auf selbst erzeugten Streifenmustern (vier Richtungen)
import math

import torch
import torch.nn as nn

torch.manual_seed(29)
KANTE = 12
TIEFE = 8


def streifen(n):
    """n Bilder mit Streifen in einer von vier Richtungen, dazu Rauschen."""
    klasse = torch.randint(0, 4, (n,))
    winkel = klasse * math.pi / 4
    phase = torch.rand(n) * 2 * math.pi
    frequenz = 0.9 + 0.4 * torch.rand(n)
    yy, xx = torch.meshgrid(torch.arange(KANTE), torch.arange(KANTE), indexing="ij")
    richtung = (xx[None] * torch.cos(winkel)[:, None, None]
                + yy[None] * torch.sin(winkel)[:, None, None])
    bild = torch.sin(frequenz[:, None, None] * richtung + phase[:, None, None])
    bild = bild + 0.5 * torch.randn(n, KANTE, KANTE)
    return bild.unsqueeze(1), klasse


class TiefesNetz(nn.Module):
    def __init__(self, kanaele=16, klassen=4):
        super().__init__()
        schichten = []
        ein = 1
        for _ in range(TIEFE):
            schichten += [nn.Conv2d(ein, kanaele, 3, padding=1), nn.ReLU()]
            ein = kanaele
        self.merkmale = nn.Sequential(*schichten)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.kopf = nn.Linear(kanaele, klassen)
        self.apply(self.anfangswerte)

    @staticmethod
    def anfangswerte(m):
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.kopf(self.pool(self.merkmale(x)).flatten(1))


x_train, y_train = streifen(800)
x_test, y_test = streifen(400)

netz = TiefesNetz()
verlustfunktion = nn.CrossEntropyLoss()
optimierer = torch.optim.SGD(netz.parameters(), lr=0.02, momentum=0.9)

for epoche in range(8):
    netz.train()
    summe = 0.0
    for idx in torch.randperm(len(x_train)).split(40):
        optimierer.zero_grad()
        verlust = verlustfunktion(netz(x_train[idx]), y_train[idx])
        verlust.backward()
        optimierer.step()
        summe += verlust.item() * len(idx)
    print(f"Epoche {epoche + 1}: Verlust {summe / len(x_train):.4f}")

netz.eval()
with torch.no_grad():
    treffer = (netz(x_test).argmax(1) == y_test).float().mean().item()
print(f"Treffer im Test: {treffer:.3f}")
