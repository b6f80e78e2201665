# expect: scaler_leakage @ 54
# needs: skorch
# allowed: scaler_leakage @ 58
import numpy as np
import torch
from skorch import NeuralNetClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import StratifiedKFold
from torch import nn

# Genexpression: wenige Patienten, viele Sonden. Sprechen sie auf die Therapie an?


def kohorte(n=90, sonden=3000, seed=4):
    g = np.random.default_rng(seed)
    y = g.permutation(np.arange(n) % 2)
    x = g.normal(size=(n, sonden))
    x[:, :4] += 0.35 * (2 * y[:, None] - 1)
    return x.astype(np.float32), y.astype(np.int64)


class Kopf(nn.Module):
    def __init__(self, eingang=25, verdeckt=12):
        super().__init__()
        self.schicht = nn.Linear(eingang, verdeckt)
        self.aus = nn.Linear(verdeckt, 2)

    def forward(self, X):
        return self.aus(torch.relu(self.schicht(X)))


class Auswahl:
    def __init__(self, k=25):
        self.filter = SelectKBest(f_classif, k=k)

    def lerne(self, x, y):
        self.filter.fit(x, y)
        return self

    def __call__(self, x):
        return self.filter.transform(x)


def neues_netz():
    torch.manual_seed(4)
    return NeuralNetClassifier(
        Kopf, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.01,
        max_epochs=25, batch_size=20, train_split=None, verbose=0,
        iterator_train__shuffle=True, optimizer__weight_decay=1e-3,
    )


def kreuzpruefung(x, y, falten=5):
    auswahl = Auswahl().lerne(x, y)
    treffer = []
    for lern, test in StratifiedKFold(falten, shuffle=True, random_state=4).split(x, y):
        netz = neues_netz()
        netz.fit(auswahl(x[lern]), y[lern])
        treffer.append(netz.score(auswahl(x[test]), y[test]))
    return np.array(treffer)


X, y = kohorte()
werte = kreuzpruefung(X, y)
print("Treffer je Falte:", werte.round(2).tolist())
print(f"Mittel {werte.mean():.3f} +- {werte.std():.3f}")
