# expect: non_finite_loss @ 48
# allowed: non_finite_loss @ 52
# allowed: non_finite_loss @ 64
# allowed: non_finite_loss @ 65
# Locations de vélos : régression de comptage, perte de Poisson écrite à la main
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(2024)
torch.manual_seed(2024)

n = 4000
table = pd.DataFrame({
    "heure": rng.integers(0, 24, n),
    "temperature": rng.normal(14, 8, n).round(1),
    "vent": rng.gamma(2, 6, n).round(1),
    "saison": rng.choice(["hiver", "printemps", "ete", "automne"], n),
})
table["sin_h"] = np.sin(2 * np.pi * table["heure"] / 24)
table["cos_h"] = np.cos(2 * np.pi * table["heure"] / 24)
niveau = table["saison"].map({"hiver": -0.5, "printemps": 0.2, "ete": 0.6, "automne": 0.1})
log_mu = 1.3 + niveau + 0.04 * table["temperature"] - 0.02 * table["vent"] - 0.7 * table["cos_h"]
table["locations"] = rng.poisson(np.exp(log_mu))

entr, test = train_test_split(table, test_size=0.2, random_state=0)
prep = ColumnTransformer([
    ("num", StandardScaler(), ["temperature", "vent", "sin_h", "cos_h"]),
    ("cat", OneHotEncoder(), ["saison"]),
])
Xa = torch.tensor(prep.fit_transform(entr), dtype=torch.float32)
Xt = torch.tensor(prep.transform(test), dtype=torch.float32)
ya = torch.tensor(entr["locations"].to_numpy(), dtype=torch.float32)
yt = torch.tensor(test["locations"].to_numpy(), dtype=torch.float32)


class Compteur(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.couches = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.couches(x).squeeze(1)


def perte_poisson(mu, y):
    return (mu - y * torch.log(mu)).mean()


modele = Compteur(Xa.shape[1])
opt = torch.optim.Adam(modele.parameters(), lr=5e-3)
taille = 100
for epoque in range(20):
    modele.train()
    ordre = torch.randperm(len(Xa))
    cumul = 0.0
    for lot in ordre.split(taille):
        opt.zero_grad()
        perte = perte_poisson(modele(Xa[lot]), ya[lot])
        perte.backward()
        opt.step()
        cumul += perte.item() * len(lot)
    if epoque % 4 == 3:
        print(f"époque {epoque + 1}: perte {cumul / len(Xa):.4f}")

modele.eval()
with torch.no_grad():
    mu = modele(Xt)
print("moyenne observée :", round(yt.mean().item(), 2), "| moyenne prédite :", round(mu.mean().item(), 2))
print("EAM test         :", round((mu - yt).abs().mean().item(), 3))
print("EAM de la moyenne:", round((ya.mean() - yt).abs().mean().item(), 3))
