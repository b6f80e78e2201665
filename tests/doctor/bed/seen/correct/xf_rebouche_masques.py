# expect: nothing
"""Autoencodeur a masquage : tirages reproductibles par epoque, trous remplis avant le reseau."""
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

BASE = 4000


class Mesures(Dataset):
    """Garde les NaN dans le tableau ; chaque ligne sort remplie (0 = moyenne) avec son masque."""

    def __init__(self, tableau):
        self.tableau = tableau.to_numpy(dtype=np.float32)

    def __len__(self):
        return len(self.tableau)

    def __getitem__(self, i):
        ligne = self.tableau[i]
        present = ~np.isnan(ligne)
        return np.where(present, ligne, 0.0).astype(np.float32), present.astype(np.float32)


class Rebouche(nn.Module):
    def __init__(self, d, cache=96):
        super().__init__()
        self.reseau = nn.Sequential(
            nn.Linear(2 * d, cache), nn.GELU(), nn.Linear(cache, 24), nn.GELU(), nn.Linear(24, d)
        )

    def forward(self, x, visible):
        return self.reseau(torch.cat([x * visible, visible], dim=1))


def perte_cachee(modele, x, present, gen, taux=0.25):
    cache = (torch.rand(x.shape, generator=gen) < taux).float() * present
    sortie = modele(x, present - cache)
    return ((sortie - x) ** 2 * cache).sum() / cache.sum()


@torch.no_grad()
def controle(modele, lignes):
    """Toujours les memes trous, pour comparer les epoques entre elles."""
    modele.eval()
    gen = torch.Generator().manual_seed(777)
    x, present = next(iter(DataLoader(lignes, batch_size=len(lignes))))
    return perte_cachee(modele, x, present, gen).item()


def entrainer(modele, lignes, valid, epoques=24):
    opt = torch.optim.AdamW(modele.parameters(), lr=3e-3, weight_decay=0.05)
    for epoque in range(epoques):
        gen = torch.Generator().manual_seed(BASE + epoque)
        chargeur = DataLoader(lignes, batch_size=32, shuffle=True, generator=gen)
        modele.train()
        pertes = []
        for x, present in chargeur:
            perte = perte_cachee(modele, x, present, gen)
            opt.zero_grad()
            perte.backward()
            opt.step()
            pertes.append(perte.item())
        if epoque % 6 == 5:
            print(f"epoque {epoque + 1}: perte {np.mean(pertes):.4f}  controle {controle(modele, valid):.4f}")


def main():
    torch.manual_seed(BASE)
    rng = np.random.default_rng(BASE)
    brut = pd.DataFrame(load_breast_cancer().data)
    brut = brut.mask(rng.random(brut.shape) < 0.05)
    appr, valid = train_test_split(brut, test_size=0.25, random_state=BASE)
    appr = np.log1p(appr)
    valid = np.log1p(valid)
    moyenne, ecart = appr.mean(), appr.std()
    modele = Rebouche(brut.shape[1])
    entrainer(modele, Mesures((appr - moyenne) / ecart), Mesures((valid - moyenne) / ecart))
    print("reference : 1.0 = remplir par la moyenne")


main()
