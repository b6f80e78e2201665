# expect: symmetric_init @ 31
"""Couche dense écrite à la main, puis un petit réseau pour des prix de logements."""
import math

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.manual_seed(5)
gen = np.random.default_rng(5)


def fabriquer_logements(n=1200):
    surface = gen.uniform(15, 180, n)
    etage = gen.integers(0, 12, n)
    age = gen.uniform(0, 120, n)
    distance = gen.uniform(0, 20, n)
    ascenseur = gen.integers(0, 2, n)
    prix = (3.0 * surface * np.exp(-distance / 8) + 40 * np.cos(age / 20)
            + 12 * (etage - 5) * (2 * ascenseur - 1) + gen.normal(0, 10, n))
    X = np.column_stack([surface, etage, age, distance, ascenseur])
    return X.astype("float32"), prix.astype("float32")


class Dense(nn.Module):
    def __init__(self, n_entree, n_sortie):
        super().__init__()
        borne = 1 / math.sqrt(n_entree)
        self.poids = nn.Parameter(torch.full((n_sortie, n_entree), borne))
        self.biais = nn.Parameter(torch.zeros(n_sortie))

    def forward(self, x):
        return x @ self.poids.t() + self.biais


X, prix = fabriquer_logements()
Xa, Xt, pa, pt = train_test_split(X, prix, test_size=0.3, random_state=5)
ech_x = StandardScaler().fit(Xa)
moy, ect = pa.mean(), pa.std()
Xa = torch.from_numpy(ech_x.transform(Xa))
Xt = torch.from_numpy(ech_x.transform(Xt))
ya = torch.from_numpy((pa - moy) / ect)
yt = torch.from_numpy((pt - moy) / ect)

reseau = nn.Sequential(Dense(5, 40), nn.Tanh(), Dense(40, 40), nn.Tanh(), Dense(40, 1))
optim = torch.optim.Adam(reseau.parameters(), lr=5e-3)
perte = nn.MSELoss()

for epoque in range(60):
    reseau.train()
    melange = torch.randperm(len(Xa))
    total = 0.0
    for lot in melange.split(60):
        optim.zero_grad()
        l = perte(reseau(Xa[lot]).squeeze(1), ya[lot])
        l.backward()
        optim.step()
        total += l.item() * len(lot)
    if (epoque + 1) % 20 == 0:
        print(f"époque {epoque + 1}: perte d'apprentissage {total / len(Xa):.4f}")

reseau.eval()
with torch.no_grad():
    pred = reseau(Xt).squeeze(1)
    eqm = perte(pred, yt).item()
    mae = (pred - yt).abs().mean().item() * ect
print(f"test: R2 = {1 - eqm / yt.var(unbiased=False).item():.3f}, erreur moyenne = {mae:.1f} k€")
