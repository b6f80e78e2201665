# expect: nothing
# Kleine CNN: waagerechte, senkrechte und diagonale Streifen unterscheiden
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Einstellungen:
    saat: int = 3
    n_train: int = 480
    n_test: int = 300
    groesse: int = 12
    batch: int = 16
    epochen: int = 4
    lr: float = 4e-3


def streifen(n, s, gen):
    klasse = torch.randint(0, 3, (n,), generator=gen)
    kontrast = 0.3 + 2.2 * torch.rand(n, 1, 1, generator=gen)
    helligkeit = 1.5 * torch.randn(n, 1, 1, generator=gen)
    phase = 2 * math.pi * torch.rand(n, 1, 1, generator=gen)
    gy, gx = torch.meshgrid(torch.arange(s), torch.arange(s), indexing="ij")
    richtung = torch.stack([gy, gx, (gx + gy) / math.sqrt(2)]).float()
    bild = helligkeit + kontrast * torch.sin(1.3 * richtung[klasse] + phase)
    bild = bild + 0.3 * torch.randn(n, s, s, generator=gen)
    return bild.unsqueeze(1), klasse


class Netz(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 8, 3, bias=False)
        self.b1 = nn.BatchNorm2d(8)
        self.c2 = nn.Conv2d(8, 16, 3, bias=False)
        self.b2 = nn.BatchNorm2d(16)
        self.kopf = nn.Linear(16, 3)

    def forward(self, x):
        x = F.relu(self.b1(self.c1(x)))
        x = F.max_pool2d(F.relu(self.b2(self.c2(x))), 2)
        return self.kopf(x.mean(dim=(2, 3)))


def genauigkeit(netz, x, y):
    netz.eval()
    with torch.no_grad():
        treffer = (netz(x).argmax(1) == y).float().mean().item()
    return treffer


def main(e=Einstellungen()):
    torch.manual_seed(e.saat)
    gen = torch.Generator().manual_seed(e.saat)
    x, y = streifen(e.n_train + e.n_test, e.groesse, gen)
    mittel, streuung = x[:e.n_train].mean(), x[:e.n_train].std()
    x = (x - mittel) / streuung
    train = TensorDataset(x[:e.n_train], y[:e.n_train])
    x_test, y_test = x[e.n_train:], y[e.n_train:]
    lader = DataLoader(train, batch_size=e.batch, shuffle=True)

    netz = Netz()
    opt = torch.optim.Adam(netz.parameters(), lr=e.lr)
    for epoche in range(e.epochen):
        netz.train()
        verlust = 0.0
        for xb, yb in lader:
            opt.zero_grad()
            l = F.cross_entropy(netz(xb), yb)
            l.backward()
            opt.step()
            verlust += l.item() * len(xb)
        print(f"Epoche {epoche}: Verlust {verlust / len(train):.3f}")
    print(f"Genauigkeit Test: {genauigkeit(netz, x_test, y_test):.3f}")


main()
