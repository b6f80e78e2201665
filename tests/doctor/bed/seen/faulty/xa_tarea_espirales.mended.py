# expect: nothing
# Tarea 3: perceptrón multicapa "a mano" (sin torch.nn) con descenso por gradiente
# Conjunto: dos espirales, tres brazos. La frontera no es lineal.
import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split

torch.manual_seed(5)
aleatorio = np.random.default_rng(5)

N_POR_BRAZO = 200
OCULTAS = 32
TASA = 0.3
VUELTAS = 121


def espirales(n, brazos=3, ruido=0.12):
    puntos, clases = [], []
    for b in range(brazos):
        radio = np.linspace(0.15, 1.0, n)
        angulo = b * 2 * math.pi / brazos + 3.2 * radio + aleatorio.normal(0, ruido, n)
        puntos.append(np.c_[radio * np.cos(angulo), radio * np.sin(angulo)])
        clases.append(np.full(n, b))
    return np.concatenate(puntos), np.concatenate(clases)


X, y = espirales(N_POR_BRAZO)
X_ent, X_pru, y_ent, y_pru = train_test_split(X, y, test_size=0.25, stratify=y, random_state=1)
media, desv = X_ent.mean(0), X_ent.std(0)
X_ent = torch.tensor((X_ent - media) / desv, dtype=torch.float32)
X_pru = torch.tensor((X_pru - media) / desv, dtype=torch.float32)
y_ent = torch.tensor(y_ent)
y_pru = torch.tensor(y_pru)


def pesos(entran, salen):
    """Matriz inicial con la escala de Glorot."""
    escala = math.sqrt(2.0 / (entran + salen))
    return (torch.randn(entran, salen) * escala).requires_grad_()


def sesgo(salen):
    return torch.zeros(salen, requires_grad=True)


capas = [
    (pesos(2, OCULTAS), sesgo(OCULTAS)),
    (pesos(OCULTAS, OCULTAS), sesgo(OCULTAS)),
    (pesos(OCULTAS, 3), sesgo(3)),
]
parametros = [t for capa in capas for t in capa]


def red(x):
    *ocultas, (W_fin, b_fin) = capas
    for W, b in ocultas:
        x = torch.tanh(x @ W + b)
    return x @ W_fin + b_fin


def paso(tasa):
    with torch.no_grad():
        for t in parametros:
            t -= tasa * t.grad
            t.grad = None


def acierto(x, y):
    with torch.no_grad():
        return (red(x).argmax(dim=1) == y).float().mean().item()


historia = []
for vuelta in range(VUELTAS):
    orden = torch.randperm(len(X_ent))
    total = 0.0
    for trozo in orden.split(90):
        perdida = F.cross_entropy(red(X_ent[trozo]), y_ent[trozo])
        perdida.backward()
        paso(TASA)
        total += perdida.item() * len(trozo)
    historia.append(total / len(X_ent))
    if vuelta % 20 == 0 or vuelta == VUELTAS - 1:
        print(f"vuelta {vuelta:3d}  pérdida {historia[-1]:.4f}  acierto (entren.) {acierto(X_ent, y_ent):.3f}")

print("pérdida final :", round(historia[-1], 4))
print("acierto prueba:", round(acierto(X_pru, y_pru), 3))
