# expect: nothing
"""Práctica 2: clasificar vinos con una red pequeña y comparar tres anchos."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Clasificador(nn.Module):
    def __init__(self, entradas, ancho, clases):
        super().__init__()
        self.cuerpo = nn.Sequential(nn.Linear(entradas, ancho), nn.Tanh())
        self.salida = nn.Linear(ancho, clases)

    def forward(self, x):
        return self.salida(self.cuerpo(x))

    def probabilidades(self, x):
        return self.forward(x).softmax(dim=1)


def preparar(semilla):
    X, y = load_wine(return_X_y=True)
    X_resto, X_te, y_resto, y_te = train_test_split(X, y, test_size=40, stratify=y, random_state=semilla)
    X_tr, X_va, y_tr, y_va = train_test_split(
        X_resto, y_resto, test_size=35, stratify=y_resto, random_state=semilla)
    esc = StandardScaler().fit(X_tr)

    def t(a, b):
        return torch.tensor(esc.transform(a), dtype=torch.float32), torch.tensor(b)

    return t(X_tr, y_tr), t(X_va, y_va), t(X_te, y_te)


def entrenar(modelo, datos, epocas=25):
    dl = DataLoader(TensorDataset(*datos), batch_size=16, shuffle=True)
    opt = torch.optim.Adam(modelo.parameters(), lr=5e-3)
    criterio = nn.CrossEntropyLoss()
    modelo.train()
    for _ in range(epocas):
        perdidas = []
        for xb, yb in dl:
            perdida = criterio(modelo(xb), yb)
            opt.zero_grad()
            perdida.backward()
            opt.step()
            perdidas.append(perdida.item())
    return float(np.mean(perdidas))


@torch.no_grad()
def exactitud(modelo, datos):
    modelo.eval()
    x, y = datos
    return (modelo.probabilidades(x).argmax(dim=1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(11)
    tr, va, te = preparar(11)
    candidatos = {}
    for ancho in (8, 16, 32):
        m = Clasificador(tr[0].shape[1], ancho, 3)
        ultima = entrenar(m, tr)
        candidatos[ancho] = (exactitud(m, va), m)
        print(f"ancho {ancho:2d}: pérdida {ultima:.4f}, validación {candidatos[ancho][0]:.3f}")
    mejor = max(candidatos, key=lambda a: candidatos[a][0])
    print(f"mejor ancho {mejor}, prueba {exactitud(candidatos[mejor][1], te):.3f}")
