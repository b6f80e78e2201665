# expect: train_mode_never_restored @ 60
# allowed: train_mode_never_restored @ 49
# allowed: train_mode_never_restored @ 61
# mend: 60 →
# mend: 61 +             self.modele.train()
"""Petit entraîneur générique : apprentissage, suivi, bilan final."""
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Reglages:
    graine: int = 4
    epoques: int = 14
    lot: int = 32
    taux: float = 2e-3
    abandon: float = 0.6


class Reseau(nn.Module):
    def __init__(self, entrees, abandon):
        super().__init__()
        self.couches = nn.Sequential(
            nn.Linear(entrees, 256), nn.ReLU(), nn.Dropout(abandon),
            nn.Linear(256, 256), nn.ReLU(), nn.Dropout(abandon),
            nn.Linear(256, 2),
        )

    def forward(self, x):
        return self.couches(x)


@dataclass
class Entraineur:
    modele: nn.Module
    reglages: Reglages
    historique: list = field(default_factory=list)

    def __post_init__(self):
        self.opt = torch.optim.Adam(self.modele.parameters(), lr=self.reglages.taux)
        self.critere = nn.CrossEntropyLoss()

    def evaluer(self, lots):
        self.modele.eval()
        perte, justes, total = 0.0, 0, 0
        with torch.no_grad():
            for x, y in lots:
                sortie = self.modele(x)
                perte += self.critere(sortie, y).item() * len(y)
                justes += (sortie.argmax(1) == y).sum().item()
                total += len(y)
        return perte / total, justes / total

    def apprendre(self, lots, lots_val):
        self.modele.train()
        for epoque in range(self.reglages.epoques):
            somme, vus = 0.0, 0
            for x, y in lots:
                self.opt.zero_grad()
                perte = self.critere(self.modele(x), y)
                perte.backward()
                self.opt.step()
                somme += perte.item() * len(y)
                vus += len(y)
            perte_val, exact_val = self.evaluer(lots_val)
            self.historique.append((somme / vus, perte_val, exact_val))
            if (epoque + 1) % 2 == 0:
                print(f"{epoque + 1:2d} | perte {somme / vus:.3f} | val {perte_val:.3f} | exact. {exact_val:.3f}")


def preparer(reglages):
    x, y = make_classification(n_samples=1500, n_features=30, n_informative=10, n_redundant=0,
                               flip_y=0.1, class_sep=0.8, random_state=reglages.graine)
    x = x.astype(np.float32)
    ordre = np.random.default_rng(reglages.graine).permutation(len(x))
    app, val, test = np.split(ordre, [600, 1000])
    moyenne, ecart = x[app].mean(axis=0), x[app].std(axis=0)
    x = (x - moyenne) / ecart
    jeux = [TensorDataset(torch.from_numpy(x[i]), torch.from_numpy(y[i])) for i in (app, val, test)]
    return [DataLoader(j, batch_size=reglages.lot, shuffle=(k == 0)) for k, j in enumerate(jeux)]


if __name__ == "__main__":
    reglages = Reglages()
    torch.manual_seed(reglages.graine)
    lots_app, lots_val, lots_test = preparer(reglages)
    entraineur = Entraineur(Reseau(30, reglages.abandon), reglages)
    entraineur.apprendre(lots_app, lots_val)
    perte, exact = entraineur.evaluer(lots_test)
    print(f"bilan sur le test : perte {perte:.3f}, exactitude {exact:.3f}")
