# expect: nothing
# GRU con estado: la serie se recorre EN ORDEN y el estado pasa de un tramo al siguiente.
# Retropropagación truncada: el estado se separa del grafo entre tramos, no dentro de ellos.
import math

import torch
from torch import nn

torch.manual_seed(23)
TRAMO, CANALES = 25, 8


def generar(n, canales):
    """Varias series autorregresivas con estacionalidad propia: [tiempo, canal]."""
    t = torch.arange(n, dtype=torch.float32)[:, None]
    periodo = torch.linspace(12, 30, canales)
    fase = torch.rand(canales) * 2 * math.pi
    estacional = torch.sin(2 * math.pi * t / periodo + fase)
    ruido = torch.zeros(n, canales)
    for k in range(1, n):
        ruido[k] = 0.6 * ruido[k - 1] + 0.2 * torch.randn(canales)
    nivel = torch.linspace(10, 80, canales)
    return nivel * (1 + 0.2 * (estacional + ruido))


class ConEstado(nn.Module):
    def __init__(self, oculto=32):
        super().__init__()
        self.gru = nn.GRU(1, oculto)
        self.salida = nn.Linear(oculto, 1)

    def forward(self, x, h=None):
        z, h = self.gru(x, h)
        return x + self.salida(z), h      # predice el cambio respecto del último valor


def tramos(serie, largo):
    """(entrada, objetivo) seguidos en el tiempo; el objetivo va un paso adelante."""
    x, y = serie[:-1, :, None], serie[1:, :, None]
    for i in range(0, len(x), largo):
        yield x[i:i + largo], y[i:i + largo]


def una_pasada(red, serie, opt, criterio):
    red.train()
    h, suma, pasos = None, 0.0, 0
    for x, y in tramos(serie, TRAMO):
        if h is not None:
            h = h.detach()
        pred, h = red(x, h)
        perdida = criterio(pred, y)
        opt.zero_grad()
        perdida.backward()
        nn.utils.clip_grad_norm_(red.parameters(), 1.0)
        opt.step()
        suma += perdida.item() * len(x)
        pasos += len(x)
    return suma / pasos


@torch.no_grad()
def error(red, contexto, serie):
    """Calienta el estado con el pasado conocido y mide sólo sobre el tramo nuevo."""
    red.eval()
    completa = torch.cat([contexto, serie])[:, :, None]
    pred, _ = red(completa[:-1])
    inicio = len(contexto) - 1
    return (pred[inicio:] - completa[1 + inicio:]).square().mean().item()


datos = generar(1200, CANALES)
fin_ent, fin_val = 800, 1000
media, desv = datos[:fin_ent].mean(0), datos[:fin_ent].std(0)
datos = (datos - media) / desv
ent, val, pru = datos[:fin_ent], datos[fin_ent:fin_val], datos[fin_val:]

red = ConEstado()
opt = torch.optim.Adam(red.parameters(), lr=4e-3)
planificador = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.93)
criterio = nn.MSELoss()
mejor, pesos = math.inf, None
for epoca in range(12):
    perdida = una_pasada(red, ent, opt, criterio)
    planificador.step()
    ev = error(red, ent, val)
    if ev < mejor:
        mejor = ev
        pesos = {k: v.clone() for k, v in red.state_dict().items()}
    if epoca % 3 == 2:
        print(f"época {epoca + 1:2d}: entrenamiento {perdida:.4f}  validación {ev:.4f}")

red.load_state_dict(pesos)
persistencia = (torch.cat([val[-1:], pru])[:-1] - pru).square().mean().item()
print(f"prueba {error(red, torch.cat([ent, val]), pru):.4f}  (persistencia {persistencia:.4f})")
