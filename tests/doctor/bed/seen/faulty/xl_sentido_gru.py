# expect: bad_label_values @ 29
# allowed: bad_label_values @ 62
# allowed: bad_label_values @ 69
"""Sentido del próximo movimiento de una serie con una GRU."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(11)
rng = np.random.default_rng(11)

VENTANA = 12
EPOCAS = 8


def generar_serie(n):
    rend = np.zeros(n)
    ruido = rng.normal(0, 1.0, n)
    for t in range(2, n):
        rend[t] = 0.55 * rend[t - 1] - 0.35 * rend[t - 2] + ruido[t]
    return rend


def ventanas(rend):
    X, y = [], []
    for t in range(VENTANA, len(rend)):
        X.append(rend[t - VENTANA:t])
        y.append(np.sign(rend[t]))
    X = torch.tensor(np.array(X), dtype=torch.float32).unsqueeze(-1)
    return X, torch.tensor(np.array(y), dtype=torch.float32)


class RedGRU(nn.Module):
    def __init__(self, oculto=24):
        super().__init__()
        self.gru = nn.GRU(1, oculto, batch_first=True)
        self.salida = nn.Linear(oculto, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.salida(h[-1]).squeeze(-1)


def evaluar(red, X, y):
    red.eval()
    with torch.no_grad():
        logit = red(X)
    red.train()
    return ((logit > 0) == (y > 0)).float().mean().item()


serie = generar_serie(4000)
corte = 3200
X_ent, y_ent = ventanas(serie[:corte])
X_pru, y_pru = ventanas(serie[corte:])
media, desv = X_ent.mean(), X_ent.std()
X_ent, X_pru = (X_ent - media) / desv, (X_pru - media) / desv

cargador = DataLoader(TensorDataset(X_ent, y_ent), batch_size=64, shuffle=True)
red = RedGRU()
criterio = nn.BCEWithLogitsLoss()
opt = torch.optim.Adam(red.parameters(), lr=3e-3)

for epoca in range(EPOCAS):
    total = 0.0
    for xb, yb in cargador:
        opt.zero_grad()
        perdida = criterio(red(xb), yb)
        perdida.backward()
        opt.step()
        total += perdida.item() * len(xb)
    print(f"época {epoca + 1}: pérdida {total / len(X_ent):.4f}")

print(f"acierto en entrenamiento: {evaluar(red, X_ent, y_ent):.3f}")
print(f"acierto en prueba: {evaluar(red, X_pru, y_pru):.3f}")
