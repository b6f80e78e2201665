# expect: nothing
"""Clasificador de figuras dibujadas (círculo, cuadrado, cruz, triángulo, anillo)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

torch.manual_seed(14)
LADO = 16
yy, xx = np.mgrid[:LADO, :LADO].astype(float)


def figura(nombre, azar):
    cy, cx = azar.uniform(6, 9, 2)
    r = azar.uniform(3.5, 5.5)
    dy, dx = yy - cy, xx - cx
    if nombre == "circulo":
        m = dy**2 + dx**2 < r**2
    elif nombre == "cuadrado":
        m = np.maximum(abs(dy), abs(dx)) < r * 0.9
    elif nombre == "cruz":
        m = (np.minimum(abs(dy), abs(dx)) < 1.3) & (np.maximum(abs(dy), abs(dx)) < r)
    elif nombre == "triangulo":
        m = (dy < r * 0.7) & (abs(dx) * 1.6 < dy + r)
    else:
        d = np.sqrt(dy**2 + dx**2)
        m = (d < r) & (d > r - 2)
    return m * azar.uniform(0.6, 1.0) + azar.normal(0, 0.15, (LADO, LADO))


class Figuras(Dataset):
    CLASES = ["anillo", "circulo", "cruz", "cuadrado", "triangulo"]

    def __init__(self, por_clase=160, semilla=0):
        azar = np.random.default_rng(semilla)
        self.muestras = []
        for k, nombre in enumerate(self.CLASES):
            for _ in range(por_clase):
                img = torch.tensor(figura(nombre, azar), dtype=torch.float32)
                self.muestras.append((img.unsqueeze(0), k))

    def __len__(self):
        return len(self.muestras)

    def __getitem__(self, i):
        return self.muestras[i]


def repartir(datos, parte=0.25, semilla=0):
    n = len(datos)
    corte = int(n * (1 - parte))
    orden = torch.randperm(n, generator=torch.Generator().manual_seed(semilla)).tolist()
    return Subset(datos, orden[:corte]), Subset(datos, orden[corte:])


class Red(nn.Module):
    def __init__(self, clases):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.salida = nn.Linear(24 * 16, clases)

    def forward(self, x):
        return self.salida(self.conv(x).flatten(1))


@torch.no_grad()
def acierto(red, cargador):
    red.eval()
    bien = sum((red(x).argmax(1) == y).sum().item() for x, y in cargador)
    return bien / len(cargador.dataset)


datos = Figuras()
entreno, prueba = repartir(datos)
cargador = DataLoader(entreno, batch_size=40, shuffle=True)
cargador_prueba = DataLoader(prueba, batch_size=100)

red = Red(len(Figuras.CLASES))
optim = torch.optim.AdamW(red.parameters(), lr=2e-3)
for epoca in range(10):
    red.train()
    suma = 0.0
    for x, y in cargador:
        perdida = nn.functional.cross_entropy(red(x), y)
        optim.zero_grad()
        perdida.backward()
        optim.step()
        suma += perdida.item() * len(y)
    if epoca % 3 == 0:
        print(f"época {epoca}: pérdida {suma / len(entreno):.4f}")

print(f"acierto entreno {acierto(red, cargador):.3f}  prueba {acierto(red, cargador_prueba):.3f}")
