# expect: nothing
"""Orden de riesgo: una GRU aprende a ordenar historias con pérdida por pares.

Las diferencias [N, 1] - [1, N] son a propósito: se compara cada una con todas.
"""
import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler
from sklearn.metrics import roc_auc_score

torch.manual_seed(23)
azar = np.random.default_rng(23)


class Historias(Dataset):
    def __init__(self, n, largo=15):
        self.x = azar.standard_normal((n, largo, 2)).astype("float32")
        peso = np.linspace(0.1, 1.0, largo)
        latente = (self.x[:, :, 0] * peso).sum(1) + 0.8 * np.maximum(self.x[:, -5:, 1], 0).sum(1)
        self.riesgo = latente.astype("float32")

    def __len__(self):
        return len(self.riesgo)

    def __getitem__(self, i):
        return self.x[i], self.riesgo[i]


class Baraja(Sampler):
    """Orden nuevo en cada vuelta, pero repetible entre corridas."""

    def __init__(self, n, semilla=0):
        self.n, self.semilla, self.vuelta = n, semilla, 0

    def poner_vuelta(self, v):
        self.vuelta = v

    def __len__(self):
        return self.n

    def __iter__(self):
        g = np.random.default_rng((self.semilla, self.vuelta))
        return iter(g.permutation(self.n).tolist())


def perdida_pares(nota, real):
    signo = torch.sign(real[:, None] - real[None, :])
    dif = nota.unsqueeze(1) - nota.unsqueeze(0)
    arriba = signo > 0
    return nn.functional.softplus(-dif[arriba]).mean()


class Puntaje(nn.Module):
    def __init__(self, h=24):
        super().__init__()
        self.gru = nn.GRU(2, h, batch_first=True)
        self.final = nn.Linear(h, 1, bias=False)
        # todas las notas empiezan iguales; una sola salida, nada que romper
        nn.init.zeros_(self.final.weight)

    def forward(self, x):
        return self.final(self.gru(x)[0][:, -1]).squeeze(1)


def concordancia(nota, real):
    d, r = nota[:, None] - nota[None, :], real[:, None] - real[None, :]
    arriba = np.triu(np.ones_like(r, bool), 1)
    return float((d * r > 0)[arriba].mean())


def poner_a_cero(red):
    for p in red.parameters():
        p.grad = None


lote_entreno, lote_prueba = Historias(1200), Historias(300)
baraja = Baraja(len(lote_entreno), semilla=7)
cargador = DataLoader(lote_entreno, batch_sampler=BatchSampler(baraja, 40, drop_last=False))
red = Puntaje()
opt = torch.optim.Adam(red.parameters(), lr=5e-3)
poner_a_cero(red)

for v in range(8):
    baraja.poner_vuelta(v)
    red.train()
    acumulado = torch.zeros(())
    for x, real in cargador:
        perdida = perdida_pares(red(x), real)
        perdida.backward()
        opt.step()
        poner_a_cero(red)
        acumulado += perdida.detach()
    print(f"vuelta {v}: {acumulado.item() / len(cargador):.4f}")

red.eval()
with torch.inference_mode():
    notas = red(torch.from_numpy(lote_prueba.x)).numpy()
print("concordancia:", round(concordancia(notas, lote_prueba.riesgo), 3))
mitad = lote_prueba.riesgo > np.median(lote_prueba.riesgo)
print("auc de la mitad alta:", round(roc_auc_score(mitad, notas), 3))
