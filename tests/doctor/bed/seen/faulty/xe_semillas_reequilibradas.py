# expect: unshuffled_sorted @ 43
# allowed: unshuffled_sorted @ 34
# allowed: unshuffled_sorted @ 59
"""Variedades de semilla: la tabla viene desequilibrada, así que se remuestrea cada
variedad hasta el tamaño de la mayor y después se entrena una red pequeña."""
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

SEMILLA = 4
torch.manual_seed(SEMILLA)

X, y = make_classification(
    n_samples=2400, n_features=12, n_informative=8, n_redundant=2, n_classes=5,
    weights=[0.35, 0.25, 0.2, 0.12, 0.08], class_sep=1.6, flip_y=0.02, random_state=SEMILLA,
)
tabla = pd.DataFrame(X, columns=[f"m{i}" for i in range(X.shape[1])])
tabla["variedad"] = y
COLS = [c for c in tabla.columns if c != "variedad"]

entreno, prueba = train_test_split(tabla, test_size=0.3, stratify=tabla["variedad"], random_state=SEMILLA)
escala = StandardScaler().fit(entreno[COLS])


def equilibrar(frame, columna):
    mayor = frame[columna].value_counts().max()
    partes = [grupo.sample(mayor, replace=len(grupo) < mayor, random_state=SEMILLA)
              for _, grupo in frame.groupby(columna)]
    return pd.concat(partes, ignore_index=True)


def a_tensores(frame):
    return (torch.tensor(escala.transform(frame[COLS]), dtype=torch.float32),
            torch.tensor(frame["variedad"].to_numpy()))


def lotes(X, y, tam):
    orden = torch.arange(len(X))
    for trozo in orden.split(tam):
        yield X[trozo], y[trozo]


Xe, ye = a_tensores(equilibrar(entreno, "variedad"))
Xp, yp = a_tensores(prueba)
print("filas de entreno por variedad:", torch.bincount(ye).tolist())

red = nn.Sequential(nn.Linear(len(COLS), 40), nn.ReLU(), nn.Linear(40, 5))
opt = torch.optim.SGD(red.parameters(), lr=0.05, momentum=0.9)
criterio = nn.CrossEntropyLoss()

for vuelta in range(1, 16):
    red.train()
    total = 0.0
    for xb, yb in lotes(Xe, ye, 32):
        opt.zero_grad()
        perdida = criterio(red(xb), yb)
        perdida.backward()
        opt.step()
        total += perdida.item() * len(xb)
    if vuelta % 5 == 0:
        print(f"vuelta {vuelta:2d}: pérdida {total / len(Xe):.4f}")

red.eval()
with torch.no_grad():
    clase = red(Xp).argmax(dim=1).numpy()
print(f"exactitud equilibrada en prueba: {balanced_accuracy_score(yp, clase):.3f}")
print(confusion_matrix(yp, clase))
