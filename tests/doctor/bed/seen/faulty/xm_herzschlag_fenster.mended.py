# expect: nothing
"""Klassifikation von Pulsfenstern (ruhig / schnell) mit einem kleinen 1D-CNN.

Die Aufnahmen sind simuliert: ein Sensor am Handgelenk, 64 Werte je Fenster.
Manchmal rutscht der Sensor ab und liefert ein Stück lang denselben Wert.
"""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SEED = 11
FENSTER = 64


def aufnahme(rng, anzahl):
    klasse = np.arange(anzahl) % 2
    rng.shuffle(klasse)
    t = np.arange(FENSTER)
    signale = np.empty((anzahl, FENSTER), dtype=np.float32)
    for i, k in enumerate(klasse):
        freq = rng.uniform(0.05, 0.09) if k == 0 else rng.uniform(0.08, 0.13)
        phase = rng.uniform(0, 2 * np.pi)
        hub = rng.uniform(5, 40)
        grund = rng.uniform(300, 700)
        signale[i] = grund + hub * np.sin(2 * np.pi * freq * t + phase)
        signale[i] += rng.normal(0, 0.2 * hub, FENSTER)
        if rng.random() < 0.02:
            signale[i] = 512.0
    return signale, klasse.astype(np.int64)


def normiere(signale):
    """Jedes Fenster auf Mittel 0 und Streuung 1 bringen."""
    mittel = signale.mean(axis=1, keepdims=True)
    streuung = signale.std(axis=1, keepdims=True)
    return (signale - mittel) / (streuung + 1e-6)


class PulsNetz(nn.Module):
    def __init__(self):
        super().__init__()
        self.merkmale = nn.Sequential(
            nn.Conv1d(1, 16, 9, padding=4), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 32, 7, padding=3), nn.ReLU(), nn.AdaptiveMaxPool1d(4),
        )
        self.kopf = nn.Linear(32 * 4, 2)

    def forward(self, x):
        return self.kopf(self.merkmale(x.unsqueeze(1)).flatten(1))


@torch.no_grad()
def trefferquote(netz, lader):
    netz.eval()
    treffer = gesamt = 0
    for x, y in lader:
        treffer += (netz(x).argmax(dim=1) == y).sum().item()
        gesamt += len(y)
    return treffer / gesamt


def main():
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    lader = {}
    for teil, anzahl in (("training", 1000), ("test", 400)):
        with np.errstate(all="ignore"):
            signale, klasse = aufnahme(rng, anzahl)
            x = torch.from_numpy(normiere(signale))
        daten = TensorDataset(x, torch.from_numpy(klasse))
        lader[teil] = DataLoader(daten, batch_size=64, shuffle=teil == "training")

    netz = PulsNetz()
    optimierer = torch.optim.Adam(netz.parameters(), lr=2e-3)
    verlust = nn.CrossEntropyLoss()
    for epoche in range(1, 7):
        netz.train()
        for x, y in lader["training"]:
            optimierer.zero_grad()
            verlust(netz(x), y).backward()
            optimierer.step()
        print(f"Epoche {epoche}: Training {trefferquote(netz, lader['training']):.3f}")
    print(f"Test: {trefferquote(netz, lader['test']):.3f}")


if __name__ == "__main__":
    main()
