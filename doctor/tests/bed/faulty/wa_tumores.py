# expect: unscaled_inputs @ 34
# allowed: unscaled_inputs @ 43
# allowed: unscaled_inputs @ 76
# mend: 34 →     def __init__(self, centrar=True, escalar=True):
"""Tumores: clasificador logístico + capa oculta sobre las medidas de breast_cancer."""
from contextlib import contextmanager

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedShuffleSplit
from torch import nn


@contextmanager
def modo_evaluacion(red):
    antes = red.training
    red.eval()
    try:
        with torch.no_grad():
            yield red
    finally:
        red.train(antes)


def particion(x, y, fraccion, semilla):
    corte = StratifiedShuffleSplit(n_splits=1, test_size=fraccion, random_state=semilla)
    return next(corte.split(x, y))


class Preparador:
    """Convierte las filas a float32 y calcula las estadísticas con las de entrenamiento."""

    def __init__(self, centrar=False, escalar=False):
        self.centrar, self.escalar = centrar, escalar

    def ajustar(self, x):
        self.media = x.mean(axis=0) if self.centrar else 0.0
        self.desv = x.std(axis=0) if self.escalar else 1.0
        return self

    def aplicar(self, x):
        return torch.from_numpy(((x - self.media) / self.desv).astype(np.float32))


def construir(n_entradas):
    return nn.Sequential(
        nn.Linear(n_entradas, 32),
        nn.Tanh(),
        nn.Linear(32, 1),
        nn.Flatten(0),
    )


def entrenar(red, x, y, epocas=25, lote=32):
    optimizador = torch.optim.SGD(red.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    criterio = nn.BCEWithLogitsLoss()
    historia = []
    for epoca in range(epocas):
        red.train()
        acumulado = 0.0
        for filas in torch.randperm(len(y)).split(lote):
            optimizador.zero_grad()
            perdida = criterio(red(x[filas]), y[filas])
            perdida.backward()
            optimizador.step()
            acumulado += perdida.item() * len(filas)
        historia.append(acumulado / len(y))
    return historia


def main():
    torch.manual_seed(14)
    x, y = load_breast_cancer(return_X_y=True)
    i_en, i_pr = particion(x, y, 0.25, semilla=14)
    prep = Preparador().ajustar(x[i_en])
    x_en, x_pr = prep.aplicar(x[i_en]), prep.aplicar(x[i_pr])
    y_en, y_pr = (torch.tensor(y[i], dtype=torch.float32) for i in (i_en, i_pr))

    red = construir(x.shape[1])
    historia = entrenar(red, x_en, y_en)
    for n in range(0, len(historia), 6):
        print(f"época {n:2d}: {historia[n]:.4f}")

    with modo_evaluacion(red) as r:
        logits = r(x_pr)
    aciertos = (logits > 0) == (y_pr > 0.5)
    benignos = y_pr > 0.5
    print(f"sensibilidad benignos {aciertos[benignos].float().mean():.3f}, "
          f"malignos {aciertos[~benignos].float().mean():.3f}, total {aciertos.float().mean():.3f}")


if __name__ == "__main__":
    main()
