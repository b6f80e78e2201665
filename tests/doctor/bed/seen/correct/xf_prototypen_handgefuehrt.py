# expect: nothing
"""Netz plus Klassenprototypen: das Netz führt Adam (OneCycle je Stapel), die Prototypen führt eine eigene Regel."""
import argparse

import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split


def argumente():
    ap = argparse.ArgumentParser()
    ap.add_argument("--runden", type=int, default=20)
    ap.add_argument("--stapel", type=int, default=50)
    ap.add_argument("--proto-rate", type=float, default=0.3)
    ap.add_argument("--seed", type=int, default=3)
    return ap.parse_args()


class Prototypnetz(nn.Module):
    def __init__(self, ein, raum, klassen):
        super().__init__()
        self.netz = nn.Sequential(nn.Linear(ein, 48), nn.ReLU(), nn.Linear(48, raum))
        self.proto = nn.Parameter(torch.randn(klassen, raum))

    def forward(self, x):
        return -torch.cdist(self.netz(x), self.proto).pow(2)

    @torch.no_grad()
    def prototypen_schieben(self, rate):
        self.proto -= rate * self.proto.grad
        self.proto.grad = None


def daten(seed):
    X, y = make_classification(2000, 16, n_informative=10, n_classes=5, n_clusters_per_class=1,
                               class_sep=1.4, random_state=seed)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    m, s = Xa.mean(0), Xa.std(0)
    f = lambda A: torch.tensor((A - m) / s, dtype=torch.float32)
    return f(Xa), torch.tensor(ya), f(Xb), torch.tensor(yb)


def main():
    a = argumente()
    torch.manual_seed(a.seed)
    Xa, ya, Xb, yb = daten(a.seed)
    modell = Prototypnetz(16, 6, 5)
    schritte = -(-len(ya) // a.stapel)
    opt = torch.optim.Adam(modell.netz.parameters(), lr=1e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=8e-3, total_steps=a.runden * schritte)

    for runde in range(1, a.runden + 1):
        modell.train()
        summe = 0.0
        for idx in torch.randperm(len(ya)).split(a.stapel):
            verlust = F.cross_entropy(modell(Xa[idx]), ya[idx])
            opt.zero_grad()
            verlust.backward()
            opt.step()
            modell.prototypen_schieben(a.proto_rate)
            plan.step()
            summe += verlust.item() * len(idx)
        if runde % 5 == 0:
            print(f"Runde {runde:2d}  Verlust {summe / len(ya):.4f}  Rate {plan.get_last_lr()[0]:.2e}")

    modell.eval()
    with torch.no_grad():
        quote = (modell(Xb).argmax(dim=1) == yb).float().mean()
    print(f"Test-Trefferquote {quote:.3f}")


if __name__ == "__main__":
    main()
