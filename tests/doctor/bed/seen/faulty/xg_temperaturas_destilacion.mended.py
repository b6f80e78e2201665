# expect: nothing
# Búsqueda de temperatura y peso de la destilación con pocas imágenes
import itertools

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(17)

imagenes, etiquetas = load_digits(return_X_y=True)
imagenes = torch.tensor(imagenes / 16.0, dtype=torch.float32)
etiquetas = torch.tensor(etiquetas)

idx = np.arange(len(etiquetas))
i_maestro, i_resto = train_test_split(idx, train_size=900, stratify=etiquetas, random_state=1)
i_alumno, i_eval = train_test_split(i_resto, train_size=60, stratify=etiquetas[i_resto], random_state=1)
i_val, i_test = train_test_split(i_eval, test_size=60, stratify=etiquetas[i_eval], random_state=1)

x_val, y_val = imagenes[i_val], etiquetas[i_val]
x_test, y_test = imagenes[i_test], etiquetas[i_test]


def maestro():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 16, 10))


def alumno():
    return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))


def perdida_destilacion(z, t, y, temp, peso):
    blanda = F.kl_div(F.log_softmax(z / temp, 1), F.softmax(t / temp, 1),
                      reduction="batchmean") * temp ** 2
    return peso * blanda + (1 - peso) * F.cross_entropy(z, y)


@torch.no_grad()
def acierto(modelo, x, y):
    modelo.eval()
    return (modelo(x).argmax(1) == y).float().mean().item()


profe = maestro()
opt = torch.optim.Adam(profe.parameters(), lr=3e-3)
for _ in range(12):
    profe.train()
    for lote in torch.from_numpy(i_maestro)[torch.randperm(len(i_maestro))].split(64):
        opt.zero_grad()
        F.cross_entropy(profe(imagenes[lote]), etiquetas[lote]).backward()
        opt.step()
print(f"maestro en validación: {acierto(profe, x_val, y_val):.3f}")

x_al, y_al = imagenes[i_alumno], etiquetas[i_alumno]
with torch.no_grad():
    profe.eval()
    t_al = profe(x_al)

mejor, mejor_cfg, mejor_modelo = -1.0, None, None
for temp, peso, intento in itertools.product([1, 2, 4, 8], [0.3, 0.6, 0.9], range(3)):
    m = alumno()
    opt = torch.optim.Adam(m.parameters(), lr=5e-3)
    m.train()
    for paso in range(100):
        opt.zero_grad()
        perdida_destilacion(m(x_al), t_al, y_al, temp, peso).backward()
        opt.step()
    a = acierto(m, x_val, y_val)
    if a > mejor:
        mejor, mejor_cfg, mejor_modelo = a, (temp, peso), m

print("mejor temperatura y peso:", mejor_cfg)
print(f"acierto en validación: {acierto(mejor_modelo, x_val, y_val):.3f}")
print(f"acierto en test:       {acierto(mejor_modelo, x_test, y_test):.3f}")
