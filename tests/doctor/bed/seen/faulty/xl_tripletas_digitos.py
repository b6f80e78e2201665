# expect: test_in_train @ 73
# allowed: test_in_train @ 79
"""Aprendizaje métrico con tripletas: recuperación (recall@1) de dígitos con ruido."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

SEMILLA = 17
torch.manual_seed(SEMILLA)
azar = np.random.default_rng(SEMILLA)


def cargar():
    imagenes, etiquetas = load_digits(return_X_y=True)
    elegidos = azar.permutation(len(etiquetas))[:600]
    x = imagenes[elegidos] / 16.0 + azar.normal(0, 0.3, (600, 64))
    return x.astype(np.float32).reshape(-1, 1, 8, 8), etiquetas[elegidos]


class Muestreador:
    """Da lotes (ancla, positivo, negativo)."""

    def __init__(self, x, y):
        self.x = torch.from_numpy(x)
        self.y = y
        self.por_clase = {c: np.flatnonzero(y == c) for c in np.unique(y)}

    def lote(self, n):
        a = azar.integers(0, len(self.y), n)
        p = np.array([azar.choice(self.por_clase[self.y[i]]) for i in a])
        neg = np.empty(n, dtype=int)
        for k, i in enumerate(a):
            j = azar.integers(0, len(self.y))
            while self.y[j] == self.y[i]:
                j = azar.integers(0, len(self.y))
            neg[k] = j
        return self.x[a], self.x[p], self.x[neg]


class Encaje(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.red = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 16, 96), nn.ReLU(), nn.Linear(96, dim))

    def forward(self, x):
        return F.normalize(self.red(x), dim=1)


@torch.no_grad()
def vectores(modelo, x):
    modelo.eval()
    return modelo(torch.from_numpy(x)).numpy()


def recall_1(modelo, galeria, y_galeria, consulta, y_consulta):
    vecino = KNeighborsClassifier(n_neighbors=1).fit(vectores(modelo, galeria), y_galeria)
    return vecino.score(vectores(modelo, consulta), y_consulta)


def principal():
    X, y = cargar()
    X_entr, X_prueba, y_entr, y_prueba = train_test_split(
        X, y, test_size=0.35, stratify=y, random_state=SEMILLA)

    modelo = Encaje()
    muestras = Muestreador(X, y)
    perdida = nn.TripletMarginLoss(margin=0.5)
    opt = torch.optim.Adam(modelo.parameters(), lr=1e-3)

    for paso in range(1, 121):
        modelo.train()
        ancla, pos, neg = muestras.lote(48)
        l = perdida(modelo(ancla), modelo(pos), modelo(neg))
        opt.zero_grad()
        l.backward()
        opt.step()
        if paso % 40 == 0:
            print(f"paso {paso}: pérdida {l.item():.4f}")

    r = recall_1(modelo, X_entr, y_entr, X_prueba, y_prueba)
    print(f"recall@1 en prueba: {r:.3f}")


if __name__ == "__main__":
    principal()
