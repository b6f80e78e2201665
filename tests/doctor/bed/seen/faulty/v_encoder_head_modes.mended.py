# expect: nothing
"""Encoder and head kept as separate modules, digits classified from patches."""
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(19)


class Lernlauf:
    """Buendelt Kodierer, Kopf und Optimierer."""

    def __init__(self):
        self.kodierer = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.kopf = nn.Sequential(
            nn.Linear(12 * 16, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
        self.optimierer = torch.optim.Adam(
            [{"params": self.kodierer.parameters(), "lr": 2e-3},
             {"params": self.kopf.parameters(), "lr": 1e-3}])
        self.verlust = nn.CrossEntropyLoss()

    def vorwaerts(self, x):
        return self.kopf(self.kodierer(x))

    def epoche(self, x, y, groesse=50):
        self.kodierer.train()
        self.kopf.train()
        summe = 0.0
        for idx in torch.randperm(len(x)).split(groesse):
            self.optimierer.zero_grad()
            l = self.verlust(self.vorwaerts(x[idx]), y[idx])
            l.backward()
            self.optimierer.step()
            summe += l.item() * len(idx)
        return summe / len(x)

    def pruefen(self, x, y):
        self.kodierer.eval()
        self.kopf.eval()
        treffer = 0
        with torch.inference_mode():
            for xb, yb in zip(x.split(30), y.split(30)):
                treffer += (self.vorwaerts(xb).argmax(1) == yb).sum().item()
        return treffer / len(x)


if __name__ == "__main__":
    bilder, ziele = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(bilder / 16.0, ziele, test_size=300, random_state=19, stratify=ziele)
    zu = lambda a: torch.tensor(a, dtype=torch.float32).view(-1, 1, 8, 8)
    xa, xb, ya, yb = zu(xa[:1450]), zu(xb), torch.tensor(ya[:1450]), torch.tensor(yb)
    lauf = Lernlauf()
    for e in range(10):
        verlust = lauf.epoche(xa, ya)
        if e % 3 == 0:
            print(f"Epoche {e}: Verlust {verlust:.4f}")
    print(f"Genauigkeit {lauf.pruefen(xb, yb):.3f}")
