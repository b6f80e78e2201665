# expect: nothing
# Autoencodeur pour des mesures de capteurs (compression 12 -> 3)
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
rng = np.random.default_rng(11)


def charger_mesures(n=1500):
    facteurs = rng.normal(size=(n, 3))
    melange = rng.normal(size=(3, 12))
    valeurs = np.tanh(facteurs @ melange) + 0.05 * rng.normal(size=(n, 12))
    table = pd.DataFrame(valeurs, columns=[f"capteur_{i}" for i in range(12)])
    # certains capteurs tombent en panne de temps en temps
    pannes = rng.random(table.shape) < 0.01
    return table.mask(pannes)


table = charger_mesures()
coupure = int(0.8 * len(table))
moyenne = table[:coupure].mean()
ecart = table[:coupure].std()
table = ((table - moyenne) / ecart).fillna(0.0)

X = torch.tensor(table.values, dtype=torch.float32)
X_app, X_test = X[:coupure], X[coupure:]


class AutoEncodeur(nn.Module):
    def __init__(self, d=12, k=3):
        super().__init__()
        self.encodeur = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, k))
        self.decodeur = nn.Sequential(nn.Linear(k, 32), nn.ReLU(), nn.Linear(32, d))

    def forward(self, x):
        return self.decodeur(self.encodeur(x))


modele = AutoEncodeur()
optimiseur = torch.optim.AdamW(modele.parameters(), lr=3e-3)
critere = nn.MSELoss()
lots = DataLoader(TensorDataset(X_app), batch_size=64, shuffle=True)

for epoque in range(20):
    modele.train()
    somme = 0.0
    for (lot,) in lots:
        optimiseur.zero_grad()
        perte = critere(modele(lot), lot)
        perte.backward()
        optimiseur.step()
        somme += perte.item() * len(lot)
    if (epoque + 1) % 5 == 0:
        print(f"epoque {epoque + 1}: perte {somme / len(X_app):.4f}")

modele.eval()
with torch.no_grad():
    print(f"erreur de reconstruction (test): {critere(modele(X_test), X_test).item():.4f}")
