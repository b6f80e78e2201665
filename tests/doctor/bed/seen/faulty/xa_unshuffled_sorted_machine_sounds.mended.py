# expect: nothing
# Geräuschklassifikation: vier Maschinenzustände aus kurzen Audio-Schnipseln (synthetisch).
# Die Aufnahmen liegen, wie auf der Platte, Ordner für Ordner hintereinander.
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

RATE = 1600
LAENGE = 320
ZUSTAENDE = ["leerlauf", "last", "lagerschaden", "unwucht"]


def schnipsel(zustand, rng):
    t = np.arange(LAENGE) / RATE
    grund = rng.uniform(45, 55)
    x = np.sin(2 * np.pi * grund * t + rng.uniform(0, 6.28))
    if zustand == 1:
        x += 0.6 * np.sin(2 * np.pi * 3 * grund * t + rng.uniform(0, 6.28))
    elif zustand == 2:
        x += 0.5 * np.sin(2 * np.pi * 430 * t) * (np.sin(2 * np.pi * 25 * t) > 0.5)
    elif zustand == 3:
        x *= 1 + 0.6 * np.sin(2 * np.pi * 12 * t + rng.uniform(0, 6.28))
    return x + 0.35 * rng.standard_normal(LAENGE)


def lade_ordner(je_zustand, rng):
    xs, ys = [], []
    for k in range(len(ZUSTAENDE)):
        for _ in range(je_zustand):
            xs.append(schnipsel(k, rng))
            ys.append(k)
    return np.asarray(xs, dtype=np.float32), np.asarray(ys)


def teile(n, anteil, rng):
    """Zufällige Aufteilung; innerhalb der Teile bleibt die Reihenfolge der Dateien."""
    wuerfel = rng.permutation(n)
    grenze = int(n * anteil)
    return np.sort(wuerfel[:grenze]), np.sort(wuerfel[grenze:])


def lader(x, y, stapel=20, mischen=False):
    ds = TensorDataset(torch.from_numpy(x).unsqueeze(1), torch.from_numpy(y))
    return DataLoader(ds, batch_size=stapel, shuffle=mischen)


class Horcher(nn.Module):
    def __init__(self, klassen):
        super().__init__()
        self.falten = nn.Sequential(
            nn.Conv1d(1, 16, 25, stride=4, padding=12), nn.ReLU(),
            nn.Conv1d(16, 24, 9, stride=2, padding=4), nn.ReLU(),
        )
        self.gru = nn.GRU(24, 24, batch_first=True)
        self.kopf = nn.Linear(24, klassen)

    def forward(self, x):
        z = self.falten(x).transpose(1, 2)
        aus, _ = self.gru(z)
        return self.kopf(aus.mean(dim=1))


def pruefe(netz, daten):
    netz.eval()
    richtig = torch.zeros(len(ZUSTAENDE))
    menge = torch.zeros(len(ZUSTAENDE))
    with torch.no_grad():
        for x, y in daten:
            treffer = netz(x).argmax(dim=1) == y
            richtig += torch.bincount(y[treffer], minlength=len(ZUSTAENDE))
            menge += torch.bincount(y, minlength=len(ZUSTAENDE))
    return richtig / menge


rng = np.random.default_rng(11)
torch.manual_seed(11)
X, Y = lade_ordner(110, rng)
tr, te = teile(len(X), 0.8, rng)
mittel, streuung = X[tr].mean(), X[tr].std()
X = (X - mittel) / streuung

lernen = lader(X[tr], Y[tr], mischen=True)
testen = lader(X[te], Y[te], stapel=100)

netz = Horcher(len(ZUSTAENDE))
optimierer = torch.optim.Adam(netz.parameters(), lr=3e-3)
verlust = nn.CrossEntropyLoss()

for epoche in range(12):
    netz.train()
    summe = 0.0
    for x, y in lernen:
        optimierer.zero_grad()
        fehler = verlust(netz(x), y)
        fehler.backward()
        optimierer.step()
        summe += fehler.item() * len(y)
    print(f"Epoche {epoche + 1}: Verlust {summe / len(tr):.4f}")

for name, quote in zip(ZUSTAENDE, pruefe(netz, testen)):
    print(f"  {name:13s} {quote:.2f}")
