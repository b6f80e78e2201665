# missed: unscaled_inputs @ 46
# allowed: unscaled_inputs @ 66
# allowed: unscaled_inputs @ 89
# mend: 40 +         self.normees = (self.mesures - self.stats.moyenne) / self.stats.ecart
# mend: 46 →         return self.normees[i], self.cepages[i]
# Classification des vins : Dataset maison, échantillonneur équilibré et petit entraîneur.
from dataclasses import dataclass

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler


@dataclass
class Reglages:
    cachees: int = 24
    taux: float = 0.02
    inertie: float = 0.9
    lot: int = 16
    tours: int = 25
    graine: int = 2


@dataclass
class Statistiques:
    moyenne: torch.Tensor
    ecart: torch.Tensor

    @classmethod
    def mesurer(cls, x):
        return cls(x.mean(dim=0), x.std(dim=0).clamp_min(1e-8))


class Vins(Dataset):
    def __init__(self, mesures, cepages, stats=None):
        self.mesures = torch.as_tensor(mesures, dtype=torch.float32)
        self.cepages = torch.as_tensor(cepages)
        self.stats = stats or Statistiques.mesurer(self.mesures)

    def __len__(self):
        return len(self.cepages)

    def __getitem__(self, i):
        return self.mesures[i], self.cepages[i]


def echantillonneur_equilibre(cepages):
    effectifs = torch.bincount(cepages).double()
    return WeightedRandomSampler(1.0 / effectifs[cepages], num_samples=len(cepages))


class Entraineur:
    def __init__(self, reseau, r: Reglages):
        self.reseau, self.r = reseau, r
        self.optimiseur = torch.optim.SGD(reseau.parameters(), lr=r.taux, momentum=r.inertie)
        self.critere = nn.CrossEntropyLoss()

    def ajuster(self, chargeur):
        for tour in range(1, self.r.tours + 1):
            self.reseau.train()
            cumul, vus = 0.0, 0
            for x, y in chargeur:
                self.optimiseur.zero_grad()
                perte = self.critere(self.reseau(x), y)
                perte.backward()
                self.optimiseur.step()
                cumul += perte.item() * len(y)
                vus += len(y)
            if tour % 5 == 0:
                print(f"tour {tour:2d} : perte {cumul / vus:.4f}")

    @torch.inference_mode()
    def exactitude(self, chargeur):
        self.reseau.eval()
        justes = total = 0
        for x, y in chargeur:
            justes += (self.reseau(x).argmax(dim=1) == y).sum().item()
            total += len(y)
        return justes / total


def main():
    r = Reglages()
    torch.manual_seed(r.graine)
    x, y = load_wine(return_X_y=True)
    x_app, x_test, y_app, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=r.graine)
    apprentissage = Vins(x_app, y_app)
    test = Vins(x_test, y_test, stats=apprentissage.stats)
    reseau = nn.Sequential(nn.Linear(x.shape[1], r.cachees), nn.ReLU(), nn.Linear(r.cachees, 3))
    entraineur = Entraineur(reseau, r)
    tirage = echantillonneur_equilibre(apprentissage.cepages)
    entraineur.ajuster(DataLoader(apprentissage, batch_size=r.lot, sampler=tirage))
    print(f"exactitude (apprentissage) : {entraineur.exactitude(DataLoader(apprentissage, 64)):.3f}")
    print(f"exactitude (test)          : {entraineur.exactitude(DataLoader(test, 64)):.3f}")


if __name__ == "__main__":
    main()
