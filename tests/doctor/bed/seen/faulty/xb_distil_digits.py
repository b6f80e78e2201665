# expect: unshuffled_sorted @ 79
# allowed: unshuffled_sorted @ 26
"""Destillation: grosses Lehrernetz -> kleiner Schüler, Ziffern 8x8."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)
TEMPERATUR = 3.0


def nach_ziffer_ablegen(x, y):
    """Die Ablage speichert die Bilder ordnerweise: erst alle Nullen, dann alle Einsen, ..."""
    reihenfolge = np.argsort(y, kind="stable")
    return x[reihenfolge], y[reihenfolge]


def lade_daten():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)  # feste Skala der Pixel
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
    x_tr, y_tr = nach_ziffer_ablegen(x_tr, y_tr)
    to_ds = lambda a, b: TensorDataset(torch.from_numpy(a), torch.from_numpy(b).long())
    return to_ds(x_tr, y_tr), to_ds(x_te, y_te)


def lader(ds, groesse, **optionen):
    return DataLoader(ds, batch_size=groesse, **optionen)


def trainiere(netz, daten, verlust, lr, epochen):
    opt = torch.optim.SGD(netz.parameters(), lr=lr, momentum=0.9)
    verlauf = []
    for _ in range(epochen):
        netz.train()
        summe = n = 0
        for x, y in daten:
            l = verlust(netz(x), x, y)
            opt.zero_grad()
            l.backward()
            opt.step()
            summe += l.item() * len(x)
            n += len(x)
        verlauf.append(round(summe / n, 4))
    return verlauf


@torch.no_grad()
def trefferquote(netz, daten):
    netz.eval()
    richtig = sum((netz(x).argmax(dim=1) == y).sum().item() for x, y in daten)
    return richtig / len(daten.dataset)


def mit_lehrer(lehrer, alpha=0.7):
    lehrer.eval().requires_grad_(False)

    def verlust(logits, x, y):
        with torch.no_grad():
            weich = F.softmax(lehrer(x) / TEMPERATUR, dim=1)
        kl = F.kl_div(F.log_softmax(logits / TEMPERATUR, dim=1), weich, reduction="batchmean")
        return alpha * TEMPERATUR ** 2 * kl + (1 - alpha) * F.cross_entropy(logits, y)
    return verlust


train_ds, test_ds = lade_daten()
test_dl = lader(test_ds, 256)

lehrer = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
hart = lambda logits, x, y: F.cross_entropy(logits, y)
print("Lehrer :", trainiere(lehrer, lader(train_ds, 32, shuffle=True), hart, 0.05, 8))
print(f"Lehrer  Test {trefferquote(lehrer, test_dl):.3f}")

schueler = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
schueler_dl = lader(train_ds, 16)
print("Schüler:", trainiere(schueler, schueler_dl, mit_lehrer(lehrer), 0.02, 8))
print(f"Schüler Test {trefferquote(schueler, test_dl):.3f}")
