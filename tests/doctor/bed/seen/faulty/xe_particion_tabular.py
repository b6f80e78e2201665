# expect: test_in_train @ 20
# allowed: test_in_train @ 61
"""Clasificación tabular con etiquetas ruidosas: varias redes, una misma partición."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

AJUSTES = {"semilla": 13, "n": 1500, "epocas": 30, "lote": 50, "lr": 3e-3}


class Particion:
    """Reparte las filas en entrenamiento, validación y prueba."""

    def __init__(self, n, parte_val=0.15, parte_prueba=0.25, semilla=0):
        orden = np.random.default_rng(semilla).permutation(n)
        n_val, n_prueba = int(n * parte_val), int(n * parte_prueba)
        self.prueba = orden[:n_prueba]
        self.val = orden[n_prueba:n_prueba + n_val]
        self.entren = orden[n_val:]


def generar(n, semilla):
    r = np.random.default_rng(semilla)
    x = r.normal(size=(n, 12))
    senal = x[:, 0] * x[:, 1] + x[:, 2] - 0.5 * x[:, 3]
    y = (senal + 1.2 * r.normal(size=n) > 0).astype(np.int64)
    return 3 + x * r.uniform(0.5, 4, 12), y


def red(ancho):
    return nn.Sequential(
        nn.Linear(12, ancho), nn.ReLU(), nn.Linear(ancho, ancho), nn.ReLU(), nn.Linear(ancho, 2)
    )


def entrenar(modelo, datos, ajustes):
    optimizador = torch.optim.Adam(modelo.parameters(), lr=ajustes["lr"])
    perdida = nn.CrossEntropyLoss()
    modelo.train()
    for _ in range(ajustes["epocas"]):
        for x, y in DataLoader(datos, batch_size=ajustes["lote"], shuffle=True):
            optimizador.zero_grad()
            valor = perdida(modelo(x), y)
            valor.backward()
            optimizador.step()


def aciertos(modelo, x, y):
    modelo.eval()
    with torch.no_grad():
        return (modelo(x).argmax(dim=1) == y).float().mean().item()


def principal(a):
    x, y = generar(a["n"], a["semilla"])
    partes = Particion(a["n"], semilla=a["semilla"])
    media, desv = x[partes.entren].mean(axis=0), x[partes.entren].std(axis=0)
    x = torch.tensor((x - media) / desv, dtype=torch.float32)
    y = torch.tensor(y)
    datos = TensorDataset(x[partes.entren], y[partes.entren])
    candidatos = {}
    for ancho in (48, 96):
        torch.manual_seed(a["semilla"])
        modelo = red(ancho)
        entrenar(modelo, datos, a)
        candidatos[ancho] = (aciertos(modelo, x[partes.val], y[partes.val]), modelo)
        print(f"ancho {ancho:3d}: validación {candidatos[ancho][0]:.3f}")
    mejor = max(candidatos, key=lambda k: candidatos[k][0])
    final = aciertos(candidatos[mejor][1], x[partes.prueba], y[partes.prueba])
    print(f"elegido {mejor}; prueba {final:.3f}")


principal(AJUSTES)
