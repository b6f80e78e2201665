# missed: nan_inputs @ 23
# allowed: nan_inputs @ 26
# allowed: non_finite_loss @ 26
# allowed: nan_inputs @ 37
# allowed: non_finite_loss @ 79
# mend: 23 →         streuung = x.std(0)
# mend: 23 +         self.streuung = torch.where(streuung > 0.1, streuung, torch.ones_like(streuung))
# Ziffern als Tabelle: Standardisierung im Dataset, EMA der Gewichte fuer die Auswertung
import copy

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class Statistik:
    """Mittelwert und Streuung je Pixel, nur aus den Trainingszeilen."""

    def __init__(self, x):
        self.mittel = x.mean(0)
        self.streuung = x.std(0)

    def __call__(self, x):
        return (x - self.mittel) / self.streuung


class Ziffern(Dataset):
    def __init__(self, x, y, umformung):
        self.x, self.y, self.umformung = x, y, umformung

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.umformung(self.x[i]), self.y[i]


class EMA:
    def __init__(self, netz, zerfall=0.95):
        self.netz = copy.deepcopy(netz).eval().requires_grad_(False)
        self.zerfall = zerfall

    @torch.no_grad()
    def aktualisieren(self, netz):
        for alt, neu in zip(self.netz.parameters(), netz.parameters()):
            alt.lerp_(neu, 1 - self.zerfall)


def genauigkeit(netz, lader):
    netz.eval()
    richtig = 0
    with torch.no_grad():
        for x, y in lader:
            richtig += (netz(x).argmax(1) == y).sum().item()
    return richtig / len(lader.dataset)


def main():
    torch.manual_seed(1)
    roh, ziel = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(roh, ziel, test_size=0.3, stratify=ziel, random_state=1)
    xa, xb = (torch.tensor(t, dtype=torch.float32) for t in (xa, xb))
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    norm = Statistik(xa)
    lern = DataLoader(Ziffern(xa, ya, norm), batch_size=64, shuffle=True)
    pruef = DataLoader(Ziffern(xb, yb, norm), batch_size=256)

    netz = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    ema = EMA(netz)
    optimierer = torch.optim.AdamW(netz.parameters(), lr=2e-3, weight_decay=1e-3)
    verlust_fn = nn.CrossEntropyLoss()
    for epoche in range(6):
        netz.train()
        summe = 0.0
        for x, y in lern:
            optimierer.zero_grad()
            verlust = verlust_fn(netz(x), y)
            verlust.backward()
            optimierer.step()
            ema.aktualisieren(netz)
            summe += verlust.item() * len(y)
        print(f"Epoche {epoche}: Verlust {summe / len(ya):.4f}")
    print(f"Genauigkeit (EMA): {genauigkeit(ema.netz, pruef):.3f}")


if __name__ == "__main__":
    main()
