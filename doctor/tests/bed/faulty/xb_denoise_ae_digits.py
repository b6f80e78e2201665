# missed: nan_inputs @ 33
# allowed: nan_inputs @ 37
# allowed: nan_inputs @ 73
# allowed: non_finite_loss @ 82
# allowed: non_finite_loss @ 84
# mend: 33 →         # Randpixel sind immer 0: dort ist die Streuung 0, also nicht teilen
# mend: 33 +         s = x.std(dim=0)
# mend: 33 +         self.streuung = torch.where(s < 0.5, torch.ones_like(s), s)
# Entrauschender Autoencoder (Ziffern 8x8, als Vektor), Pixel werden einzeln standardisiert.
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


@dataclass
class Einstellung:
    epochen: int = 12
    stapel: int = 64
    lernrate: float = 2e-3
    rauschen: float = 0.5
    engpass: int = 16
    keim: int = 3


class Standardisierer:
    """Mittelwert/Streuung je Pixel; wird nur auf Trainingsbildern bestimmt"""

    def passe_an(self, x):
        self.mitte = x.mean(dim=0)
        self.streuung = x.std(dim=0)
        return self

    def __call__(self, x):
        return (x - self.mitte) / self.streuung


class Entrauscher(nn.Module):
    def __init__(self, n, engpass):
        super().__init__()
        self.kodierer = nn.Sequential(nn.Linear(n, 96), nn.SiLU(), nn.Linear(96, engpass))
        self.dekodierer = nn.Sequential(nn.Linear(engpass, 96), nn.SiLU(), nn.Linear(96, n))

    def forward(self, x):
        return self.dekodierer(self.kodierer(x))


def stapel_von(x, groesse):
    reihenfolge = torch.randperm(len(x))
    for teil in reihenfolge.split(groesse):
        yield x[teil]


@torch.no_grad()
def pruefe(netz, x, rauschen):
    netz.eval()
    g = torch.Generator().manual_seed(99)
    stoerung = torch.randn(x.shape, generator=g) * rauschen
    return F.mse_loss(netz(x + stoerung), x).item()


def lauf(cfg: Einstellung):
    torch.manual_seed(cfg.keim)
    bilder = torch.tensor(load_digits().data, dtype=torch.float32)
    mischung = torch.randperm(len(bilder))
    bilder = bilder[mischung]
    grenze = int(0.8 * len(bilder))
    roh_train, roh_test = bilder[:grenze], bilder[grenze:]

    norm = Standardisierer().passe_an(roh_train)
    x_train, x_test = norm(roh_train), norm(roh_test)

    netz = Entrauscher(bilder.shape[1], cfg.engpass)
    opt = torch.optim.Adam(netz.parameters(), lr=cfg.lernrate)
    for epoche in range(cfg.epochen):
        netz.train()
        summe, anzahl = 0.0, 0
        for sauber in stapel_von(x_train, cfg.stapel):
            verrauscht = sauber + cfg.rauschen * torch.randn_like(sauber)
            verlust = F.mse_loss(netz(verrauscht), sauber)
            opt.zero_grad()
            verlust.backward()
            opt.step()
            summe += verlust.item() * len(sauber)
            anzahl += len(sauber)
        if epoche % 3 == 2:
            print(f"Epoche {epoche + 1:2d}  Verlust {summe / anzahl:.4f}")
    print(f"Testfehler {pruefe(netz, x_test, cfg.rauschen):.4f} (Streuung der Daten {x_test.var().item():.3f})")


if __name__ == "__main__":
    lauf(Einstellung())
