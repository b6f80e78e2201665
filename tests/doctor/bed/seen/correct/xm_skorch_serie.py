# expect: nothing
# needs: skorch
# Série temporelle avec skorch : consommation d'eau, validation croisée temporelle
import numpy as np
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import GradientNormClipping, LRScheduler
from torch import nn

torch.manual_seed(13)
rng = np.random.default_rng(13)

RETARDS = 24


def consommation(n=1600):
    t = np.arange(n)
    jour = 30 + 12 * np.sin(2 * np.pi * (t - 8) / 24) + 6 * np.sin(4 * np.pi * t / 24)
    semaine = 5 * ((t // 24) % 7 >= 5)
    bruit = np.zeros(n)
    for i in range(1, n):
        bruit[i] = 0.7 * bruit[i - 1] + rng.normal(0, 1.5)
    return jour + semaine + bruit


def tableau(serie):
    lignes = np.lib.stride_tricks.sliding_window_view(serie, RETARDS + 1)
    heure = np.arange(RETARDS, len(serie)) % 24
    cycle = np.column_stack([np.sin(2 * np.pi * heure / 24), np.cos(2 * np.pi * heure / 24)])
    X = np.hstack([lignes[:, :-1], cycle]).astype(np.float32)
    y = lignes[:, -1:].astype(np.float32)
    return X, y


class Regresseur(nn.Module):
    def __init__(self, entrees=RETARDS + 2, largeur=48, abandon=0.1):
        super().__init__()
        self.couches = nn.Sequential(
            nn.Linear(entrees, largeur), nn.ReLU(), nn.Dropout(abandon),
            nn.Linear(largeur, largeur), nn.ReLU(),
            nn.Linear(largeur, 1),
        )

    def forward(self, X):
        return self.couches(X)


X, y = tableau(consommation())
coupe = 1250
X_app, y_app, X_test, y_test = X[:coupe], y[:coupe], X[coupe:], y[coupe:]

reseau = NeuralNetRegressor(
    Regresseur,
    criterion=nn.MSELoss,
    optimizer=torch.optim.Adam,
    lr=3e-3,
    max_epochs=25,
    batch_size=32,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[
        ("lr", LRScheduler(policy=torch.optim.lr_scheduler.CosineAnnealingLR, T_max=25)),
        ("norme", GradientNormClipping(gradient_clip_value=5.0)),
    ],
    verbose=0,
)
chaine = TransformedTargetRegressor(
    regressor=Pipeline([("echelle", StandardScaler()), ("reseau", reseau)]),
    transformer=StandardScaler(),
    check_inverse=False,
)

plis = TimeSeriesSplit(n_splits=3, gap=RETARDS)
notes = cross_val_score(chaine, X_app, y_app, cv=plis, scoring="neg_mean_absolute_error")
print("EAM par pli :", np.round(-notes, 3))

chaine.fit(X_app, y_app)
historique = chaine.regressor_.named_steps["reseau"].history
print(f"époques : {len(historique)}, perte : {historique[0, 'train_loss']:.4f} -> {historique[-1, 'train_loss']:.4f}")

prevu = chaine.predict(X_test).reshape(-1)
vrai = y_test.reshape(-1)
print(f"test : EAM {mean_absolute_error(vrai, prevu):.3f} m3/h, "
      f"valeur précédente {mean_absolute_error(vrai, X_test[:, RETARDS - 1]):.3f} m3/h")
