# expect: nothing
# Bewertungen von Geräten: eigener Sampler, Teilmengen nur über Indizes
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler


class Messreihen(Dataset):
    """Vibrationsfenster; die Beschriftung ist zu einem Viertel verrauscht."""

    def __init__(self, n=600, laenge=32, seed=0):
        rng = np.random.default_rng(seed)
        t = np.linspace(0, 1, laenge)
        klasse = rng.integers(0, 2, n)
        freq = np.where(klasse == 1, 5.0, 3.0)[:, None]
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        sig = np.sin(2 * np.pi * freq * t + phase) + 0.7 * rng.normal(size=(n, laenge))
        gekippt = rng.random(n) < 0.25
        self.x = torch.tensor(sig, dtype=torch.float32)
        self.y = torch.tensor(np.where(gekippt, 1 - klasse, klasse))

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class MischSampler(Sampler):
    """Gibt die übergebenen Indizes in jeder Epoche neu gemischt aus."""

    def __init__(self, indizes):
        self.indizes = torch.as_tensor(indizes)

    def __iter__(self):
        reihenfolge = torch.randperm(len(self.indizes))
        return iter(self.indizes[reihenfolge].tolist())

    def __len__(self):
        return len(self.indizes)


def aufteilen(n, anteil_val, anteil_test, seed):
    perm = np.random.default_rng(seed).permutation(n)
    n_val, n_test = int(n * anteil_val), int(n * anteil_test)
    val = perm[:n_val]
    test = perm[n_val:n_val + n_test]
    train = perm[n_val + n_test:]
    return train, val, test


class Lauf:
    def __init__(self, daten, teile, groesse=32):
        tr, va, te = teile
        self.lader = {
            "train": DataLoader(daten, groesse, sampler=MischSampler(tr)),
            "val": DataLoader(torch.utils.data.Subset(daten, va.tolist()), 128),
            "test": DataLoader(torch.utils.data.Subset(daten, te.tolist()), 128),
        }
        self.netz = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2))
        self.opt = torch.optim.Adam(self.netz.parameters(), lr=2e-3)
        self.kriterium = nn.CrossEntropyLoss()

    def trainiere(self, epochen):
        for e in range(epochen):
            self.netz.train()
            summe, anzahl = 0.0, 0
            for x, y in self.lader["train"]:
                self.opt.zero_grad()
                verlust = self.kriterium(self.netz(x), y)
                verlust.backward()
                self.opt.step()
                summe += verlust.item() * len(y)
                anzahl += len(y)
            if e % 5 == 4:
                print(f"Epoche {e + 1:2d}: Verlust {summe / anzahl:.4f}, val {self.genauigkeit('val'):.3f}")

    def genauigkeit(self, welcher):
        self.netz.eval()
        richtig = gesamt = 0
        with torch.no_grad():
            for x, y in self.lader[welcher]:
                richtig += (self.netz(x).argmax(1) == y).sum().item()
                gesamt += len(y)
        return richtig / gesamt


if __name__ == "__main__":
    torch.manual_seed(4)
    daten = Messreihen(seed=4)
    lauf = Lauf(daten, aufteilen(len(daten), 0.15, 0.25, seed=4))
    lauf.trainiere(25)
    print(f"Testgenauigkeit: {lauf.genauigkeit('test'):.3f}")
