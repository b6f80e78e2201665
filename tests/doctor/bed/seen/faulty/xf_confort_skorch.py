# expect: target_broadcast @ 39
# needs: skorch
# allowed: target_broadcast @ 64
# Prédiction d'un indice de confort à partir de capteurs, validation croisée avec skorch.
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from torch import nn

alea = np.random.default_rng(8)
n = 900
mesures = pd.DataFrame({
    "temperature": alea.normal(21, 3, n),
    "humidite": alea.uniform(20, 80, n),
    "co2": alea.gamma(9, 80, n),
    "bruit": alea.normal(45, 6, n),
})
confort = (
    70
    - 1.2 * (mesures["temperature"] - 21.5) ** 2
    - 0.01 * (mesures["humidite"] - 45) ** 2
    - 0.02 * (mesures["co2"] - 700)
    - 0.5 * (mesures["bruit"] - 45)
    + alea.normal(0, 2, n)
)


class Indice(nn.Module):
    def __init__(self, entrees=4, caches=32):
        super().__init__()
        self.tronc = nn.Sequential(nn.Linear(entrees, caches), nn.ReLU(), nn.Linear(caches, caches), nn.ReLU())
        self.sortie = nn.Linear(caches, 1)

    def forward(self, x):
        return self.sortie(self.tronc(x)).squeeze(-1)


def regresseur():
    return NeuralNetRegressor(
        Indice,
        criterion=nn.SmoothL1Loss,
        optimizer=torch.optim.Adam,
        lr=0.01,
        max_epochs=20,
        batch_size=32,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


X = mesures.to_numpy(dtype=np.float32)
y = confort.to_numpy(dtype=np.float32).reshape(-1, 1)

scores = []
for k, (app, val) in enumerate(KFold(n_splits=3, shuffle=True, random_state=8).split(X), start=1):
    torch.manual_seed(8)
    ech_x, ech_y = StandardScaler().fit(X[app]), StandardScaler().fit(y[app])
    modele = regresseur()
    modele.fit(ech_x.transform(X[app]), ech_y.transform(y[app]))
    estime = modele.predict(ech_x.transform(X[val])).reshape(-1, 1)
    scores.append(r2_score(y[val], ech_y.inverse_transform(estime)))
    perte = modele.history[-1, "train_loss"]
    print(f"pli {k}: perte d'apprentissage {perte:.3f}, R2 {scores[-1]:.3f}")

print(f"R2 moyen : {np.mean(scores):.3f} (écart type {np.std(scores):.3f})")
