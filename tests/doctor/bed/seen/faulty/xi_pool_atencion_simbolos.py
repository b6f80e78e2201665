# expect: softmax_wrong_dim @ 37
# Localiza un parche brillante: pooling por atención sobre las posiciones de una imagen
import math
import torch
from torch import nn

torch.manual_seed(1)
gen = torch.Generator().manual_seed(1)


def fabrica(n):
    """Imágenes de 12x12 con ruido y un símbolo pequeño (4 clases) en un lugar al azar."""
    formas = torch.tensor([
        [[1, 1, 1], [0, 0, 0], [1, 1, 1]],
        [[1, 0, 1], [1, 0, 1], [1, 0, 1]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[0, 1, 0], [1, 1, 1], [0, 1, 0]],
    ]).float()
    x = 0.35 * torch.randn(n, 1, 12, 12, generator=gen)
    y = torch.randint(0, 4, (n,), generator=gen)
    fila = torch.randint(0, 10, (n,), generator=gen)
    col = torch.randint(0, 10, (n,), generator=gen)
    for i in range(n):
        x[i, 0, fila[i]:fila[i] + 3, col[i]:col[i] + 3] += 1.3 * formas[y[i]]
    return x, y


class PoolAtencion(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.consulta = nn.Parameter(torch.randn(d) / math.sqrt(d))
        self.clave = nn.Linear(d, d)
        self.valor = nn.Linear(d, d)

    def forward(self, fichas):                       # [B, T, D]
        puntaje = self.clave(fichas) @ self.consulta  # [B, T]
        peso = puntaje.softmax(0)
        return torch.einsum("bt,btd->bd", peso, self.valor(fichas))


class Red(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, d, 3, padding=1), nn.ReLU())
        self.pool = PoolAtencion(d)
        self.salida = nn.Linear(d, 4)

    def forward(self, x):
        mapa = self.conv(x)
        return self.salida(self.pool(mapa.flatten(2).transpose(1, 2)))


x_ent, y_ent = fabrica(1024)
x_pru, y_pru = fabrica(512)
red = Red()
perdida = nn.CrossEntropyLoss()
opt = torch.optim.Adam(red.parameters(), lr=2e-3)

for epoca in range(7):
    red.train()
    acumulada = 0.0
    for idx in torch.randperm(len(x_ent)).split(64):
        opt.zero_grad()
        l = perdida(red(x_ent[idx]), y_ent[idx])
        l.backward()
        opt.step()
        acumulada += l.item() * len(idx)
    print(f"época {epoca + 1}: pérdida {acumulada / len(x_ent):.4f}")

red.eval()
aciertos = 0
with torch.no_grad():
    for xb, yb in zip(x_pru.split(32), y_pru.split(32)):
        aciertos += (red(xb).argmax(1) == yb).sum().item()
print(f"aciertos en prueba: {aciertos / len(x_pru):.3f}")
