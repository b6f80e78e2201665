# expect: unshuffled_sorted @ 32
# allowed: unshuffled_sorted @ 19
# allowed: unshuffled_sorted @ 47
"""Clasificador de tipos de cliente con un generador de lotes propio sobre un DataFrame."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

torch.manual_seed(5)
np.random.seed(5)

valores, clases = make_classification(2000, n_features=10, n_informative=8, n_redundant=0, n_classes=5,
                                      n_clusters_per_class=1, class_sep=1.5, random_state=5)
datos = pd.DataFrame(valores, columns=[f"v{i}" for i in range(10)]).assign(tipo=clases)
entreno, prueba = train_test_split(datos, test_size=0.3, random_state=5, stratify=datos["tipo"])
entreno = entreno.sort_values("tipo").reset_index(drop=True)
print(entreno.groupby("tipo").size().to_dict())

columnas = [c for c in datos.columns if c != "tipo"]
media, desv = entreno[columnas].mean(), entreno[columnas].std()


def a_tensores(df):
    x = ((df[columnas] - media) / desv).to_numpy(dtype=np.float32)
    return torch.tensor(x), torch.tensor(df["tipo"].to_numpy())


def lotes(x, y, tam):
    indices = np.arange(len(x))
    for ini in range(0, len(x), tam):
        sel = indices[ini:ini + tam]
        yield x[sel], y[sel]


x_tr, y_tr = a_tensores(entreno)
x_te, y_te = a_tensores(prueba)
red = nn.Sequential(nn.Linear(len(columnas), 24), nn.ReLU(), nn.Linear(24, 5))
perdida = nn.CrossEntropyLoss()
opt = torch.optim.SGD(red.parameters(), lr=0.1)

for epoca in range(12):
    red.train()
    suma = 0.0
    for xb, yb in lotes(x_tr, y_tr, 10):
        opt.zero_grad()
        l = perdida(red(xb), yb)
        l.backward()
        opt.step()
        suma += l.item() * len(xb)
    print(f"epoca {epoca}: perdida {suma / len(x_tr):.4f}")

red.eval()
with torch.no_grad():
    exactitud = (red(x_te).argmax(dim=1) == y_te).float().mean().item()
print(f"exactitud en prueba: {exactitud:.3f}")
