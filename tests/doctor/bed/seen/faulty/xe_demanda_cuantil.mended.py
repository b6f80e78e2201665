# expect: nothing
# Pronóstico de demanda diaria con cuantiles: una LSTM por cuantil.
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(17)
torch.manual_seed(17)
VENTANA = 21
CUANTILES = (0.1, 0.5, 0.9)

dias = np.arange(1600)
demanda = (
    40
    + 9 * np.sin(2 * np.pi * dias / 7)
    + 5 * np.sin(2 * np.pi * dias / 30)
    + 1.5 * np.random.randn(len(dias))
)
corte = 1200
media, desv = demanda[:corte].mean(), demanda[:corte].std()


def ventanas(tramo):
    z = ((tramo - media) / desv).astype(np.float32)
    x = np.lib.stride_tricks.sliding_window_view(z, VENTANA)[:-1]
    return TensorDataset(torch.from_numpy(x.copy()).unsqueeze(-1), torch.from_numpy(z[VENTANA:]))


def pinball(pred, real, q):
    e = real - pred
    return torch.maximum(q * e, (q - 1) * e).mean()


class RedDemanda(nn.Module):
    def __init__(self, oculto=24):
        super().__init__()
        self.lstm = nn.LSTM(1, oculto, batch_first=True)
        self.cabeza = nn.Sequential(nn.Linear(oculto, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        salida, _ = self.lstm(x)
        return self.cabeza(salida[:, -1]).squeeze(-1)


def ajustar(datos, q, vueltas=12):
    red = RedDemanda()
    opt = torch.optim.Adam(red.parameters(), lr=5e-3)
    for _ in range(vueltas):
        red.train()
        for x, y in datos:
            opt.zero_grad()
            perdida = pinball(red(x), y, q)
            perdida.backward()
            opt.step()
    return red


entreno = DataLoader(ventanas(demanda[:corte]), batch_size=40, shuffle=True)
x_fin, y_fin = ventanas(demanda[corte:]).tensors
reales = y_fin.numpy() * desv + media

for q in CUANTILES:
    red = ajustar(entreno, q)
    red.eval()
    with torch.no_grad():
        estimado = red(x_fin).numpy().ravel() * desv + media
    falta = reales - estimado
    costo = np.maximum(q * falta, (q - 1) * falta).mean()
    print(f"q={q}: pinball {costo:.3f}  por debajo {np.mean(falta < 0):.2f}  desv. del pronóstico {estimado.std():.2f}")
