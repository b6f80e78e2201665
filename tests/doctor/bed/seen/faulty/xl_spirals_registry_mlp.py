# expect: symmetric_init @ 13
# allowed: symmetric_init @ 42
# allowed: symmetric_init @ 67
"""Spiralen-Klassifikation mit kleiner Registry fuer Modelle und Initialisierungen."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

KONFIG = {
    "seed": 7,
    "modell": "mlp",
    "init": "konstant",
    "breite": 48,
    "lr": 5e-3,
    "epochen": 60,
    "batch": 64,
}

MODELLE, INITS = {}, {}


def registriere(tabelle, name):
    def deko(f):
        tabelle[name] = f
        return f
    return deko


@registriere(MODELLE, "mlp")
def baue_mlp(breite):
    return nn.Sequential(
        nn.Linear(2, breite), nn.Tanh(),
        nn.Linear(breite, breite), nn.Tanh(),
        nn.Linear(breite, 2),
    )


@registriere(INITS, "konstant")
def init_konstant(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.05)
        nn.init.zeros_(m.bias)


@registriere(INITS, "xavier")
def init_xavier(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def spiralen(n, rng):
    t = np.sqrt(rng.uniform(0.02, 1, n)) * 2 * np.pi
    y = rng.integers(0, 2, n)
    phase = t + np.pi * y
    x = np.stack([t * np.cos(phase), t * np.sin(phase)], 1) / np.pi
    x += rng.normal(0, 0.06, x.shape)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg["seed"])
        self.netz = MODELLE[cfg["modell"]](cfg["breite"])
        self.netz.apply(INITS[cfg["init"]])
        self.opt = torch.optim.Adam(self.netz.parameters(), lr=cfg["lr"])
        self.verlust = nn.CrossEntropyLoss()

    def trainiere(self, lader):
        for epoche in range(self.cfg["epochen"]):
            self.netz.train()
            summe, n = 0.0, 0
            for x, y in lader:
                self.opt.zero_grad()
                l = self.verlust(self.netz(x), y)
                l.backward()
                self.opt.step()
                summe += l.item() * len(y)
                n += len(y)
            if (epoche + 1) % 20 == 0:
                print(f"Epoche {epoche + 1:3d}  Verlust {summe / n:.4f}")

    @torch.no_grad()
    def genauigkeit(self, lader):
        self.netz.eval()
        richtig = sum((self.netz(x).argmax(1) == y).sum().item() for x, y in lader)
        return richtig / len(lader.dataset)


if __name__ == "__main__":
    rng = np.random.default_rng(KONFIG["seed"])
    train = TensorDataset(*spiralen(1200, rng))
    test = TensorDataset(*spiralen(600, rng))
    trainer = Trainer(KONFIG)
    trainer.trainiere(DataLoader(train, KONFIG["batch"], shuffle=True))
    print(f"Testgenauigkeit: {trainer.genauigkeit(DataLoader(test, 256)):.3f}")
