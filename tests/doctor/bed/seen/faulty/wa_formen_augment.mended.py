# expect: nothing
# Formen-Erkennung: kleine Bilder mit Kreis, Kreuz oder Rahmen; Augmentierung im Dataset.
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

GROESSE = 16
FORMEN = ("kreis", "kreuz", "rahmen")


def zeichne(form, mitte, radius):
    yy, xx = torch.meshgrid(torch.arange(GROESSE), torch.arange(GROESSE), indexing="ij")
    dy, dx = (yy - mitte[0]).float(), (xx - mitte[1]).float()
    if form == "kreis":
        bild = ((dx**2 + dy**2).sqrt() - radius).abs() < 0.8
    elif form == "kreuz":
        bild = ((dx.abs() < 0.8) | (dy.abs() < 0.8)) & (dx.abs() <= radius) & (dy.abs() <= radius)
    else:
        bild = torch.maximum(dx.abs(), dy.abs()).sub(radius).abs() < 0.8
    return bild.float()


def erzeuge_bilder(anzahl, gen):
    bilder, klassen = [], torch.randint(len(FORMEN), (anzahl,), generator=gen)
    for k in klassen.tolist():
        mitte = torch.randint(6, 10, (2,), generator=gen).tolist()
        radius = 3 + 2 * torch.rand(1, generator=gen).item()
        bild = zeichne(FORMEN[k], mitte, radius)
        bilder.append(bild + 0.25 * torch.randn(GROESSE, GROESSE, generator=gen))
    return torch.stack(bilder).unsqueeze(1), klassen


def verschiebe(bild, weite=2):
    dy, dx = torch.randint(-weite, weite + 1, (2,)).tolist()
    return bild.roll((dy, dx), dims=(1, 2))


def loesche_streifen(bild, breite=6):
    start = torch.randint(GROESSE - breite + 1, (1,)).item()
    bild = bild.clone()
    if torch.rand(1).item() < 0.5:
        bild[:, start:start + breite] = 0.0
    else:
        bild[:, :, start:start + breite] = 0.0
    return bild


def stoere(bild):
    return verschiebe(loesche_streifen(bild)) + 0.4 * torch.randn_like(bild)


class FormenDaten(Dataset):
    def __init__(self, bilder, klassen, transform=None):
        self.bilder, self.klassen, self.transform = bilder, klassen, transform

    def __len__(self):
        return len(self.klassen)

    def __getitem__(self, i):
        bild = self.bilder[i]
        if self.transform is not None:
            bild = self.transform(bild)
        return bild, self.klassen[i]


def baue_lader(gen):
    train = FormenDaten(*erzeuge_bilder(600, gen), transform=stoere)
    test = FormenDaten(*erzeuge_bilder(400, gen))
    lader = partial(DataLoader, batch_size=40)
    return lader(train, shuffle=True), lader(test)


def netz():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24 * 16, 3),
    )


def durchlauf(modell, lader, opt=None):
    """Eine Runde ueber die Daten; mit Optimierer wird gelernt, sonst nur gemessen."""
    modell.train(opt is not None)
    verlust = treffer = 0.0
    with torch.set_grad_enabled(opt is not None):
        for x, y in lader:
            logits = modell(x)
            loss = F.cross_entropy(logits, y)
            if opt is not None:
                opt.zero_grad()
                loss.backward()
                opt.step()
            verlust += loss.item() * len(y)
            treffer += (logits.argmax(1) == y).sum().item()
    n = len(lader.dataset)
    return verlust / n, treffer / n


torch.manual_seed(9)
train_lader, test_lader = baue_lader(torch.Generator().manual_seed(9))
modell = netz()
opt = torch.optim.Adam(modell.parameters(), lr=2e-3)
for epoche in range(10):
    v, t = durchlauf(modell, train_lader, opt)
    print(f"Epoche {epoche}: Verlust {v:.3f}, Treffer {t:.3f}")
print("Test: Verlust %.3f, Treffer %.3f" % durchlauf(modell, test_lader))
