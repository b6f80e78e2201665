# expect: nothing
"""Kurze "Vogelrufe" (synthetische Spektren) unterscheiden, mit torch.compile (Backend eager)."""
import argparse
import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def rufe(n, gen, baender=16, schritte=20):
    """Drei Arten: steigender, fallender und trillernder Ton, je mit Rauschen."""
    art = torch.randint(0, 3, (n,), generator=gen)
    t = torch.linspace(0, 1, schritte)
    kurven = torch.stack([
        0.2 + 0.6 * t,
        0.8 - 0.6 * t,
        0.5 + 0.3 * torch.sin(2 * math.pi * 3 * t),
    ])
    mitte = kurven[art] + 0.1 * torch.randn(n, 1, generator=gen)
    f = torch.linspace(0, 1, baender).view(1, -1, 1)
    spektrum = torch.exp(-((f - mitte.unsqueeze(1)) / 0.08) ** 2)
    spektrum = spektrum + 0.6 * torch.randn(spektrum.shape, generator=gen)
    return spektrum, art


class Rufnetz(nn.Module):
    def __init__(self, baender=16, kanaele=16, arten=3):
        super().__init__()
        self.faltung = nn.Sequential(
            nn.Conv1d(baender, kanaele, 5, padding=2, bias=False),
            nn.BatchNorm1d(kanaele),
            nn.ReLU(),
            nn.Conv1d(kanaele, kanaele, 5, padding=2, bias=False),
            nn.BatchNorm1d(kanaele),
            nn.ReLU(),
        )
        self.kopf = nn.Sequential(nn.Dropout(0.4), nn.Linear(kanaele, arten))

    def forward(self, x):
        return self.kopf(self.faltung(x).mean(dim=-1))


class Lehrgang:
    def __init__(self, netz, lr):
        self.netz = netz
        self.schnell = torch.compile(netz, backend="eager")
        self.kriterium = nn.CrossEntropyLoss()
        self.opt = torch.optim.AdamW(netz.parameters(), lr=lr, weight_decay=1e-3)

    def pruefen(self, lader):
        self.netz.eval()
        summe, richtig, n = 0.0, 0, 0
        with torch.no_grad():
            for x, y in lader:
                aus = self.schnell(x)
                summe += self.kriterium(aus, y).item() * len(y)
                richtig += (aus.argmax(1) == y).sum().item()
                n += len(y)
        return summe / n, richtig / n

    def epoche(self, lader):
        self.netz.train()
        summe = 0.0
        for x, y in lader:
            self.opt.zero_grad(set_to_none=True)
            verlust = self.kriterium(self.schnell(x), y)
            verlust.backward()
            self.opt.step()
            summe += verlust.item() * len(y)
        return summe / len(lader.dataset)

    def laufen(self, train, val, epochen):
        for e in range(1, epochen + 1):
            tv = self.epoche(train)
            vv, vg = self.pruefen(val)
            print(f"Epoche {e}: Training {tv:.4f}  Validierung {vv:.4f} ({vg:.1%})")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--epochen", type=int, default=6)
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--saat", type=int, default=9)
    args = ap.parse_args()
    torch.manual_seed(args.saat)
    gen = torch.Generator().manual_seed(args.saat)
    teile = {name: TensorDataset(*rufe(n, gen)) for name, n in (("train", 384), ("val", 128), ("test", 128))}
    train = DataLoader(teile["train"], batch_size=32, shuffle=True)
    val, test = (DataLoader(teile[k], batch_size=64) for k in ("val", "test"))
    lehrgang = Lehrgang(Rufnetz(), args.lr)
    lehrgang.laufen(train, val, args.epochen)
    verlust, genau = lehrgang.pruefen(test)
    print(f"Test: Verlust {verlust:.4f}, Genauigkeit {genau:.1%}")


if __name__ == "__main__":
    main()
