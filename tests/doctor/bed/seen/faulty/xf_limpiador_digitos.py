# expect: seed_reset_each_epoch @ 21
# allowed: seed_reset_each_epoch @ 90
"""Autoencoder que limpia digitos: el dataset agrega ruido nuevo antes de cada epoca."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class DigitosRuidosos(Dataset):
    def __init__(self, limpios, sigma=0.45, semilla=17):
        self.limpios = torch.as_tensor(limpios, dtype=torch.float32)
        self.sigma = sigma
        self.semilla = semilla
        self.sucios = None
        self.preparar(0)

    def preparar(self, epoca):
        gen = np.random.default_rng(self.semilla)
        ruido = gen.normal(0.0, self.sigma, size=tuple(self.limpios.shape))
        self.sucios = self.limpios + torch.as_tensor(ruido, dtype=torch.float32)

    def __len__(self):
        return len(self.limpios)

    def __getitem__(self, i):
        return self.sucios[i], self.limpios[i]


class Limpiador(nn.Module):
    def __init__(self, d=64, ancho=256):
        super().__init__()
        self.red = nn.Sequential(
            nn.Linear(d, ancho), nn.ReLU(),
            nn.Linear(ancho, ancho), nn.ReLU(),
            nn.Linear(ancho, d),
        )

    def forward(self, x):
        return self.red(x)


class Avisos:
    """Callbacks del bucle: se llaman por nombre."""

    def __init__(self, *funciones):
        self.funciones = {f.__name__: f for f in funciones}

    def __call__(self, nombre, *args):
        if nombre in self.funciones:
            self.funciones[nombre](*args)


def medir(modelo, lotes):
    modelo.eval()
    total = n = 0
    with torch.no_grad():
        for sucio, limpio in lotes:
            total += ((modelo(sucio) - limpio) ** 2).sum().item()
            n += limpio.numel()
    return total / n


def ajustar(modelo, datos, avisos, epocas=15):
    lotes = DataLoader(datos, batch_size=50, shuffle=True)
    opt = torch.optim.Adam(modelo.parameters(), lr=1e-3)
    for e in range(epocas):
        avisos("al_empezar", e)
        modelo.train()
        suma = 0.0
        for sucio, limpio in lotes:
            opt.zero_grad()
            costo = nn.functional.mse_loss(modelo(sucio), limpio)
            costo.backward()
            opt.step()
            suma += costo.item() * len(limpio)
        avisos("al_terminar", e, suma / len(datos))


torch.manual_seed(4)
crudo = load_digits().data / 16.0
a_ent, a_val = train_test_split(crudo, test_size=0.33, random_state=4)
entreno, reserva = DigitosRuidosos(a_ent), DigitosRuidosos(a_val, semilla=99)
modelo = Limpiador()


def al_empezar(e):
    entreno.preparar(e)


def al_terminar(e, costo):
    if e % 5 == 4:
        v = medir(modelo, DataLoader(reserva, batch_size=200))
        print(f"epoca {e + 1}: entreno {costo:.4f}  reserva {v:.4f}")


ajustar(modelo, entreno, Avisos(al_empezar, al_terminar))
