# expect: selection_on_test @ 62
# allowed: selection_on_test @ 65
# allowed: selection_on_test @ 68
# Regresión de la progresión de la diabetes con un perceptrón y parada temprana.
import copy

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ParadaTemprana:
    """Guarda los mejores pesos y avisa cuando se acaba la paciencia."""

    def __init__(self, paciencia):
        self.paciencia = paciencia
        self.mejor = float("inf")
        self.pesos = None
        self.espera = 0

    def __call__(self, valor, red):
        if valor < self.mejor:
            self.mejor, self.espera = valor, 0
            self.pesos = copy.deepcopy(red.state_dict())
        else:
            self.espera += 1
        return self.espera >= self.paciencia


class Entrenador:
    def __init__(self, red, cargadores, paciencia=8):
        self.red = red
        self.cargadores = cargadores
        self.opt = torch.optim.Adam(red.parameters(), lr=5e-4, weight_decay=1e-3)
        self.perdida = nn.SmoothL1Loss()
        self.parada = ParadaTemprana(paciencia)

    def una_epoca(self):
        self.red.train()
        for x, y in self.cargadores["entreno"]:
            self.opt.zero_grad()
            salida = self.red(x).squeeze(1)
            self.perdida(salida, y).backward()
            self.opt.step()

    @torch.no_grad()
    def evaluar(self, nombre):
        self.red.eval()
        suma, n = 0.0, 0
        for x, y in self.cargadores[nombre]:
            suma += self.perdida(self.red(x).squeeze(1), y).item() * len(y)
            n += len(y)
        return suma / n

    def ajustar(self, max_epocas):
        for epoca in range(max_epocas):
            self.una_epoca()
            control = self.evaluar("prueba")
            if epoca % 5 == 0:
                print(f"época {epoca:3d}  entreno {self.evaluar('entreno'):.4f}  control {control:.4f}")
            if self.parada(control, self.red):
                print("parada en la época", epoca)
                break
        self.red.load_state_dict(self.parada.pesos)
        return self


def preparar(semilla):
    x, y = load_diabetes(return_X_y=True, scaled=False)
    x_resto, x_pr, y_resto, y_pr = train_test_split(x, y, test_size=0.2, random_state=semilla)
    x_en, x_va, y_en, y_va = train_test_split(x_resto, y_resto, test_size=0.2, random_state=semilla)
    esc_x = StandardScaler().fit(x_en)
    media, desv = y_en.mean(), y_en.std()

    def cargador(a, b, **kw):
        a = torch.from_numpy(esc_x.transform(a).astype(np.float32))
        b = torch.from_numpy(((b - media) / desv).astype(np.float32))
        return DataLoader(TensorDataset(a, b), batch_size=32, **kw)

    return {
        "entreno": cargador(x_en, y_en, shuffle=True),
        "validacion": cargador(x_va, y_va),
        "prueba": cargador(x_pr, y_pr),
    }


torch.manual_seed(5)
red = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 1))
entrenador = Entrenador(red, preparar(5)).ajustar(60)
print(f"pérdida final en prueba: {entrenador.evaluar('prueba'):.4f}")
