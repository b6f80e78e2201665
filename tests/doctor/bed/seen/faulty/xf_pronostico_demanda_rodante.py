# expect: missing_no_grad @ 66
# allowed: missing_no_grad @ 69
# allowed: missing_no_grad @ 70
# allowed: missing_no_grad @ 81
"""Pronóstico rodante de demanda: varias redes recurrentes y un error por horizonte."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(8)
gen = np.random.default_rng(8)


def simular(largo):
    t = np.arange(largo)
    base = 100 + 25 * np.sin(2 * np.pi * t / 7) + 10 * np.cos(2 * np.pi * t / 30)
    ruido = np.zeros(largo)
    for i in range(1, largo):
        ruido[i] = 0.6 * ruido[i - 1] + gen.normal(0, 3)
    return base + ruido


class Ventanas(Dataset):
    def __init__(self, serie, atras=28):
        self.serie = torch.as_tensor(serie, dtype=torch.float32)
        self.atras = atras

    def __len__(self):
        return len(self.serie) - self.atras

    def __getitem__(self, i):
        j = i + self.atras
        return self.serie[i:j, None], self.serie[j]


class Red(nn.Module):
    def __init__(self, tipo, ocultas=20):
        super().__init__()
        self.rec = getattr(nn, tipo)(1, ocultas, batch_first=True)
        self.cabeza = nn.Linear(ocultas, 1)

    def forward(self, x):
        salida, _ = self.rec(x)
        return self.cabeza(salida[:, -1]).squeeze(1)


def entrenar(red, datos, epocas=4):
    cargador = DataLoader(datos, batch_size=32, shuffle=True)
    optim = torch.optim.Adam(red.parameters(), lr=1e-2)
    red.train()
    for _ in range(epocas):
        acumulado = 0.0
        for x, y in cargador:
            perdida = nn.functional.mse_loss(red(x), y)
            optim.zero_grad()
            perdida.backward()
            optim.step()
            acumulado += perdida.item()
    return acumulado / len(cargador)


def pronosticar(red, contexto, pasos):
    """Predice `pasos` días hacia adelante alimentando sus propias salidas."""
    red.eval()
    torch.no_grad()
    x = contexto
    salidas = []
    for _ in range(pasos):
        y = red(x)
        salidas.append(y.tolist())
        x = torch.cat([x[:, 1:], y.view(-1, 1, 1)], dim=1)
    return np.array(salidas).T


def errores(red, serie, atras=28, pasos=7):
    inicios = range(0, len(serie) - atras - pasos + 1, pasos)
    contexto = torch.stack([torch.as_tensor(serie[i:i + atras], dtype=torch.float32)
                            for i in inicios]).unsqueeze(-1)
    real = np.stack([serie[i + atras:i + atras + pasos] for i in inicios])
    return np.abs(pronosticar(red, contexto, pasos) - real).mean(axis=0)


serie = simular(760)
corte = 600
media, desvio = serie[:corte].mean(), serie[:corte].std()
ajuste, prueba = (serie[:corte] - media) / desvio, (serie[corte:] - media) / desvio

for tipo in ("RNN", "GRU"):
    red = Red(tipo)
    final = entrenar(red, Ventanas(ajuste))
    e = errores(red, prueba) * desvio
    print(f"{tipo:3s} pérdida {final:.4f}  error día 1: {e[0]:.2f}  día 7: {e[-1]:.2f}")
