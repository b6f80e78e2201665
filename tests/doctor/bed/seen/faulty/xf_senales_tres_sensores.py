# expect: sorted_split @ 38
# allowed: sorted_split @ 32
# allowed: sorted_split @ 39
# allowed: sorted_split @ 40
# Tres tipos de vibración (sana, desbalance, rodamiento); red 1-D sobre la ventana cruda
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset

torch.manual_seed(33)
LARGO = 64


def ventana(tipo, rng):
    t = np.arange(LARGO) / LARGO
    fase = rng.uniform(0, 2 * np.pi)
    s = np.sin(2 * np.pi * 4 * t + fase)
    if tipo == "desbalance":
        s = s * 1.2 + 0.6 * np.sin(2 * np.pi * 8 * t + 2 * fase)
    elif tipo == "rodamiento":
        s[rng.integers(0, 16)::16] += 1.4
    return s + 0.5 * rng.normal(size=LARGO)


def generar(por_tipo=400, semilla=1):
    rng = np.random.default_rng(semilla)
    tablas, marcas = [], []
    for k, tipo in enumerate(["sana", "desbalance", "rodamiento"]):
        tablas.append(np.stack([ventana(tipo, rng) for _ in range(por_tipo)]))
        marcas.append(np.full(por_tipo, k))
    x = torch.tensor(np.concatenate(tablas), dtype=torch.float32)
    y = torch.tensor(np.concatenate(marcas))
    return TensorDataset(x.unsqueeze(1), y)


def repartir(datos, fraccion=0.7):
    indices = torch.arange(len(datos))
    n = int(fraccion * len(datos))
    return Subset(datos, indices[:n].tolist()), Subset(datos, indices[n:].tolist())


def crear_red():
    return nn.Sequential(
        nn.Conv1d(1, 12, 9, padding=4), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(12, 24, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(),
        nn.Linear(24 * LARGO // 4, 32), nn.ReLU(), nn.Linear(32, 3),
    )


def evaluar(red, parte):
    red.eval()
    bien = 0
    with torch.no_grad():
        for x, y in DataLoader(parte, batch_size=128):
            bien += (red(x).argmax(1) == y).sum().item()
    return bien / len(parte)


entreno, prueba = repartir(generar())
red = crear_red()
opt = torch.optim.Adam(red.parameters(), lr=1e-3)
for epoca in range(1, 13):
    red.train()
    suma = 0.0
    for x, y in DataLoader(entreno, batch_size=32, shuffle=True):
        perdida = nn.functional.cross_entropy(red(x), y)
        opt.zero_grad()
        perdida.backward()
        opt.step()
        suma += perdida.item() * len(y)
    if epoca % 3 == 0:
        print(f"época {epoca:2d}  pérdida {suma / len(entreno):.4f}")

print(f"acierto entrenamiento {evaluar(red, entreno):.3f}")
print(f"acierto prueba        {evaluar(red, prueba):.3f}")
