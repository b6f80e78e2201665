# expect: nothing
# Clasificador convolucional de dígitos con acumulación de gradientes
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(5)

LOTE = 16
LOTE_EFECTIVO = 32
ACUMULAR = LOTE_EFECTIVO // LOTE
EPOCAS = 3


class Convolucional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.fc = nn.Linear(32 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(x.flatten(1))


def generar_lotes(x, y, tam, azar):
    orden = azar.permutation(len(x))
    for i in range(0, len(orden), tam):
        sel = torch.from_numpy(orden[i:i + tam])
        yield x[sel], y[sel]


imagenes, etiquetas = load_digits(return_X_y=True)
imagenes = (imagenes / 16.0).reshape(-1, 1, 8, 8).astype(np.float32)
x_ent, x_pru, y_ent, y_pru = train_test_split(
    imagenes, etiquetas, train_size=1280, stratify=etiquetas, random_state=5)
x_ent, x_pru = torch.from_numpy(x_ent), torch.from_numpy(x_pru)
y_ent, y_pru = torch.from_numpy(y_ent).long(), torch.from_numpy(y_pru).long()

modelo = Convolucional()
optimizador = torch.optim.Adam(modelo.parameters(), lr=4e-3)
azar = np.random.default_rng(5)

for epoca in range(EPOCAS):
    modelo.train()
    total, aciertos = 0.0, 0
    optimizador.zero_grad()
    for paso, (xb, yb) in enumerate(generar_lotes(x_ent, y_ent, LOTE, azar), start=1):
        salida = modelo(xb)
        perdida = F.cross_entropy(salida, yb)
        (perdida / ACUMULAR).backward()
        if paso % ACUMULAR == 0:
            optimizador.step()
            optimizador.zero_grad()
        total += perdida.item() * len(yb)
        aciertos += (salida.argmax(1) == yb).sum().item()
    print(f"época {epoca + 1}: pérdida {total / len(y_ent):.4f}, "
          f"acierto en entrenamiento {aciertos / len(y_ent):.3f}")

modelo.eval()
with torch.no_grad():
    salida = modelo(x_pru)
    print(f"prueba: pérdida {F.cross_entropy(salida, y_pru).item():.4f}, "
          f"acierto {(salida.argmax(1) == y_pru).float().mean().item():.3f}")
