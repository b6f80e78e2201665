# expect: nothing
"""Prévision à un pas d'une longue série, sur des fenêtres tirées au hasard."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler

torch.manual_seed(0)
rng = np.random.default_rng(5)


def serie(n):
    """Processus de seuil: le régime change selon le passé."""
    v = np.zeros(n)
    for t in range(3, n):
        a = 0.9 if v[t - 2] > 0 else -0.6
        v[t] = a * v[t - 1] - 0.45 * v[t - 3] + 0.35 * rng.standard_normal()
    return v.astype("float32")


class Fenetres(Dataset):
    def __init__(self, valeurs, largeur=12):
        self.v, self.l = torch.from_numpy(valeurs), largeur

    def __len__(self):
        return len(self.v) - self.l

    def __getitem__(self, i):
        bloc = self.v[i : i + self.l + 1]
        return bloc[:-1, None], bloc[-1]


class TirageFenetres(Sampler):
    """Tire `combien` débuts de fenêtre à chaque passage."""

    def __init__(self, donnees, combien, graine=13):
        self.donnees, self.combien, self.graine = donnees, combien, graine
        self.passages = 0

    def __len__(self):
        return self.combien

    def __iter__(self):
        g = torch.Generator().manual_seed(self.graine + self.passages)
        self.passages += 1
        yield from torch.randint(len(self.donnees), (self.combien,), generator=g).tolist()


class Prevision(nn.Module):
    def __init__(self, h=48):
        super().__init__()
        self.gru = nn.GRU(1, h, batch_first=True)
        self.tete = nn.Linear(h, 1)

    def forward(self, x):
        sortie, _ = self.gru(x)
        return self.tete(sortie[:, -1]).squeeze(-1)


brut = serie(9000)
coupe = 7000
moy, ect = brut[:coupe].mean(), brut[:coupe].std()
norm = (brut - moy) / ect
app, tst = Fenetres(norm[:coupe]), Fenetres(norm[coupe:])
tirage = TirageFenetres(app, 128)
chargeur = DataLoader(app, batch_size=32, sampler=tirage)
modele = Prevision()
opt = torch.optim.Adam(modele.parameters(), lr=4e-3)

for ep in range(90):
    modele.train()
    erreurs = []
    for x, y in chargeur:
        opt.zero_grad()
        perte = nn.functional.mse_loss(modele(x), y)
        perte.backward()
        opt.step()
        erreurs.append(perte.item())
    if ep % 15 == 14:
        print(f"passage {tirage.passages}: eqm {np.mean(erreurs):.4f}")

modele.eval()
carres = 0.0
with torch.no_grad():
    for x, y in DataLoader(tst, batch_size=500):
        carres += ((modele(x) - y) ** 2).sum().item()
print(f"eqm sur la fin de la série: {carres / len(tst):.4f}")
