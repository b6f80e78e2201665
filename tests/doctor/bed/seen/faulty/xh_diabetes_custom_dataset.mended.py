# expect: nothing
"""Progression du diabète : régression avec une classe Dataset maison et k-fold."""
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from torch import nn
from torch.utils.data import DataLoader, Dataset


class DiabeteDataset(Dataset):
    def __init__(self, X, y, moy=None, ecart=None):
        self.X = torch.as_tensor(X, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)
        self.moy = self.y.mean() if moy is None else moy
        self.ecart = self.y.std() if ecart is None else ecart

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.X[i], (self.y[i] - self.moy) / self.ecart


def normaliser(X_a, X_v):
    m, s = X_a.mean(axis=0), X_a.std(axis=0)
    return (X_a - m) / s, (X_v - m) / s


class Regresseur(nn.Module):
    def __init__(self, entrees):
        super().__init__()
        self.cachee = nn.Linear(entrees, 16)
        self.sortie = nn.Linear(16, 1)

    def forward(self, x):
        return self.sortie(torch.tanh(self.cachee(x)))


def eqm(prediction, cible):
    return torch.mean((prediction - cible) ** 2)


def entrainer(modele, chargeur, epoques=20):
    opt = torch.optim.Adam(modele.parameters(), lr=5e-3, weight_decay=1e-3)
    modele.train()
    for _ in range(epoques):
        somme = 0.0
        for x, cible in chargeur:
            opt.zero_grad()
            perte = eqm(modele(x).squeeze(1), cible)
            perte.backward()
            opt.step()
            somme += perte.item() * len(x)
    return somme / len(chargeur.dataset)


def r2(modele, jeu):
    modele.eval()
    with torch.no_grad():
        p = modele(jeu.X).squeeze(1) * jeu.ecart + jeu.moy
    return 1 - (((p - jeu.y) ** 2).sum() / ((jeu.y - jeu.y.mean()) ** 2).sum()).item()


def main():
    torch.manual_seed(0)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    scores = []
    plis = KFold(n_splits=4, shuffle=True, random_state=0)
    for k, (ia, iv) in enumerate(plis.split(X), start=1):
        Xa, Xv = normaliser(X[ia], X[iv])
        appr = DiabeteDataset(Xa, y[ia])
        val = DiabeteDataset(Xv, y[iv], appr.moy, appr.ecart)
        modele = Regresseur(X.shape[1])
        perte = entrainer(modele, DataLoader(appr, batch_size=32, shuffle=True))
        scores.append(r2(modele, val))
        print(f"pli {k} : perte finale {perte:.3f}, R2 validation {scores[-1]:.3f}")
    print(f"R2 moyen : {np.mean(scores):.3f}")


if __name__ == "__main__":
    main()
