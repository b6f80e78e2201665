# expect: nothing
"""Transferencia con L-BFGS: rasgos de filtros fijos al azar y una capa lineal.

Los datos vienen ordenados por clase; se reparten tomando uno de cada cinco, así que
cada parte tiene todas las clases en la misma proporción.
"""
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(33)


def cargar_ordenado():
    d = load_digits()
    orden = np.argsort(d.target, kind="stable")
    x = torch.tensor(d.images[orden] / 16.0, dtype=torch.float32).unsqueeze(1)
    return x, torch.tensor(d.target[orden])


def repartir(n):
    resto = torch.arange(n) % 5
    return resto < 3, resto == 3, resto == 4


class Rasgos(nn.Module):
    """filtros al azar que no se entrenan"""

    def __init__(self, filtros=24):
        super().__init__()
        self.conv = nn.Conv2d(1, filtros, 3, padding=1)
        self.requires_grad_(False)

    def forward(self, x):
        h = torch.relu(self.conv(x))
        return nn.functional.avg_pool2d(h, 2).flatten(1)


def tipificar(h, base):
    media, desvio = base.mean(0), base.std(0).clamp(min=1e-3)
    return (h - media) / desvio


def ajustar(h, y, pena):
    capa = nn.Linear(h.shape[1], 10)
    optim = torch.optim.LBFGS(capa.parameters(), lr=1.0, max_iter=15, line_search_fn="strong_wolfe")

    def cierre():
        optim.zero_grad()
        perdida = nn.functional.cross_entropy(capa(h), y) + pena * capa.weight.pow(2).sum()
        perdida.backward()
        return perdida

    for vuelta in range(3):
        perdida = optim.step(cierre)
    return capa, perdida.item()


@torch.no_grad()
def acierto(capa, h, y):
    return (capa(h).argmax(1) == y).float().mean().item()


x, y = cargar_ordenado()
entreno, valida, prueba = repartir(len(y))
for nombre, parte in zip(("entreno", "validación", "prueba"), (entreno, valida, prueba)):
    print(f"{nombre:10s} {int(parte.sum()):4d} imágenes, por clase {torch.bincount(y[parte]).tolist()}")

rasgos = Rasgos().eval()
with torch.no_grad():
    h = rasgos(x)
h = tipificar(h, h[entreno])

mejor = None
for pena in (1e-1, 1e-2, 1e-3, 1e-4):
    capa, perdida = ajustar(h[entreno], y[entreno], pena)
    nota = acierto(capa, h[valida], y[valida])
    print(f"pena {pena:.0e}: pérdida {perdida:.4f}  validación {nota:.3f}")
    if mejor is None or nota > mejor[0]:
        mejor = (nota, pena, capa)

nota, pena, capa = mejor
print(f"elegida {pena:.0e}; acierto en la prueba {acierto(capa, h[prueba], y[prueba]):.3f}")
