# expect: nothing
"""Clasificador de secuencias con autoatención, compilado con torch.compile (backend "eager").

Tarea: en cada frase hay una ficha "pregunta" (0..3) y, en algún lugar, la ficha que lleva su respuesta;
la clase depende de la pareja, así que las posiciones tienen que mirarse entre ellas.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

VOCAB, LARGO, CLASES = 24, 10, 4
torch.manual_seed(7)


def fabrica_frases(n):
    """Relleno: fichas 8..23. Preguntas 0..3, respuestas 4..7; clase = (pregunta + respuesta) mod 4."""
    frases = torch.randint(8, VOCAB, (n, LARGO))
    preg, resp = torch.randint(0, 4, (n,)), torch.randint(0, 4, (n,))
    lugares = torch.rand(n, LARGO).argsort(dim=1)[:, :2]
    fila = torch.arange(n)
    frases[fila, lugares[:, 0]] = preg
    frases[fila, lugares[:, 1]] = resp + 4
    return frases, (preg + resp) % 4


class Atencion(nn.Module):
    def __init__(self, dim, cabezas):
        super().__init__()
        self.cabezas = cabezas
        self.qkv = nn.Linear(dim, 3 * dim)
        self.salida = nn.Linear(dim, dim)

    def _pesos(self, q, k):
        puntos = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return puntos.softmax(dim=-1)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.cabezas, d // self.cabezas).permute(2, 0, 3, 1, 4)
        mezcla = self._pesos(q, k) @ v
        return self.salida(mezcla.transpose(1, 2).reshape(b, t, d))


class Bloque(nn.Module):
    def __init__(self, dim, cabezas, p=0.05):
        super().__init__()
        self.norma1, self.norma2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.at = Atencion(dim, cabezas)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(p), nn.Linear(2 * dim, dim))

    def forward(self, x):
        x = x + self.at(self.norma1(x))
        return x + self.mlp(self.norma2(x))


class Lector(nn.Module):
    def __init__(self, dim=32, cabezas=4, bloques=1):
        super().__init__()
        self.fichas = nn.Embedding(VOCAB, dim)
        self.pos = nn.Parameter(0.02 * torch.randn(LARGO, dim))
        self.bloques = nn.Sequential(*[Bloque(dim, cabezas) for _ in range(bloques)])
        self.norma = nn.LayerNorm(dim)
        self.cabeza = nn.Linear(dim, CLASES)

    def forward(self, ids):
        h = self.bloques(self.fichas(ids) + self.pos)
        return self.cabeza(self.norma(h).mean(dim=1))


def acierto(modelo, x, y):
    modelo.eval()
    with torch.no_grad():
        return (modelo(x).argmax(dim=-1) == y).float().mean().item()


x, y = fabrica_frases(1600)
# frases repetidas fuera: ninguna puede estar a los dos lados del corte
_, inversa = torch.unique(x, dim=0, return_inverse=True)
assert inversa.max() + 1 == len(x)
x_ent, y_ent, x_pru, y_pru = x[:1280], y[:1280], x[1280:], y[1280:]

modelo = Lector()
compilado = torch.compile(modelo, backend="eager", dynamic=False)
optim = torch.optim.AdamW(modelo.parameters(), lr=4e-3, weight_decay=1e-3)
EPOCAS, LOTE = 12, 64
plan = torch.optim.lr_scheduler.OneCycleLR(optim, max_lr=4e-3, total_steps=EPOCAS * (len(x_ent) // LOTE))

for epoca in range(EPOCAS):
    modelo.train()
    suma = 0.0
    for idx in torch.randperm(len(x_ent)).split(LOTE):
        perdida = F.cross_entropy(compilado(x_ent[idx]), y_ent[idx])
        optim.zero_grad(set_to_none=True)
        perdida.backward()
        nn.utils.clip_grad_norm_(modelo.parameters(), 1.0)
        optim.step()
        plan.step()
        suma += perdida.item() * len(idx)
    if epoca % 2 == 0 or epoca == EPOCAS - 1:
        print(f"época {epoca:2d}  pérdida {suma / len(x_ent):.3f}")
print(f"acierto: entrenamiento {acierto(modelo, x_ent, y_ent):.3f}, prueba {acierto(modelo, x_pru, y_pru):.3f}")
