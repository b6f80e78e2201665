# expect: nothing
"""Regresión con dropout: cifra normal y, aparte, bandas por pases repetidos con ruido a propósito."""
from contextlib import contextmanager

import torch
from torch import nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

torch.manual_seed(14)


@contextmanager
def modo(red, entrenando):
    antes = red.training
    red.train(entrenando)
    try:
        yield red
    finally:
        red.train(antes)


X, y = load_diabetes(return_X_y=True)
Xe, Xp, ye, yp = train_test_split(X, y, test_size=0.3, random_state=14)
mx, sx, my, sy = Xe.mean(0), Xe.std(0), ye.mean(), ye.std()
tensor = lambda a: torch.tensor(a, dtype=torch.float32)
Xe, Xp = tensor((Xe - mx) / sx), tensor((Xp - mx) / sx)
ye, yp = tensor((ye - my) / sy).unsqueeze(1), tensor((yp - my) / sy).unsqueeze(1)

red = nn.Sequential(
    nn.Linear(10, 48), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(48, 48), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(48, 1),
)
opt = torch.optim.AdamW(red.parameters(), lr=3e-3, weight_decay=1e-2)

for epoca in range(40):
    with modo(red, True):
        suma = 0.0
        for filas in torch.randperm(len(ye)).split(32):
            perdida = nn.functional.mse_loss(red(Xe[filas]), ye[filas])
            opt.zero_grad()
            perdida.backward()
            opt.step()
            suma += perdida.item() * len(filas)
    if epoca % 10 == 9:
        print(f"época {epoca + 1}: pérdida {suma / len(ye):.3f}")

with modo(red, False), torch.no_grad():
    punto = red(Xp)
    resto = (red(Xe) - ye).std()
error = (punto - yp).abs().mean() * sy
r2 = 1 - ((punto - yp) ** 2).sum() / ((yp - ye.mean()) ** 2).sum()
print(f"prueba: error absoluto {error:.1f}, R2 {r2:.3f}")

# bandas: aquí las neuronas se apagan a propósito (Monte Carlo), 200 pases por fila
with modo(red, True), torch.no_grad():
    pases = torch.stack([red(Xp) for _ in range(200)])
media, ancho = pases.mean(0), pases.std(0)
dentro = ((yp - media).abs() < 1.64 * (ancho ** 2 + resto ** 2).sqrt()).float().mean()
print(f"media de pases: error absoluto {((media - yp).abs().mean() * sy):.1f}")
print(f"ancho medio {ancho.mean() * sy:.1f}, filas dentro de la banda {dentro:.2f}")
