# expect: label_misaligned @ 41
# allowed: label_misaligned @ 25
# allowed: label_misaligned @ 30
# allowed: label_misaligned @ 40
# allowed: label_misaligned @ 43
"""Abandono de clientes: un registro de eventos se resume por cliente y se clasifica."""
import numpy as np
import pandas as pd
import torch
from torch import nn


def simular(n_clientes=700, semilla=6):
    """Devuelve (eventos, altas). `altas` va en el orden en que se dieron de alta."""
    rng = np.random.default_rng(semilla)
    codigos = rng.permutation(np.arange(10_000, 10_000 + n_clientes))
    abandona = (rng.random(n_clientes) < 0.45).astype(int)
    filas = []
    for codigo, baja in zip(codigos, abandona):
        n = rng.poisson(9 if baja else 14) + 2
        importe = rng.gamma(2.0, 14.0 if baja else 20.0, size=n)
        espera = rng.exponential(9.0 if baja else 6.0, size=n)
        filas.append(pd.DataFrame({"cliente": codigo, "importe": importe, "espera": espera}))
    eventos = pd.concat(filas, ignore_index=True)
    altas = pd.DataFrame({"cliente": codigos, "abandona": abandona})
    return eventos, altas


def resumir(eventos):
    return eventos.groupby("cliente").agg(
        n=("importe", "size"),
        gasto=("importe", "mean"),
        gasto_max=("importe", "max"),
        espera=("espera", "mean"),
        espera_max=("espera", "max"),
    )


def tabla(eventos, altas):
    rasgos = resumir(eventos)
    etiquetas = altas["abandona"]
    assert len(rasgos) == len(etiquetas)
    return rasgos.to_numpy(np.float32), etiquetas.to_numpy(np.float32)


def repartir(n, fraccion, rng):
    orden = rng.permutation(n)
    corte = int(n * fraccion)
    return orden[:corte], orden[corte:]


def normalizar(x, filas):
    media = x[filas].mean(axis=0)
    desv = x[filas].std(axis=0)
    return (x - media) / desv


def entrenar(red, x, y, epocas=40):
    criterio = nn.BCEWithLogitsLoss()
    opt = torch.optim.Adam(red.parameters(), lr=5e-3)
    for epoca in range(1, epocas + 1):
        red.train()
        perdidas = []
        for lote in torch.randperm(len(x)).split(64):
            salida = red(x[lote]).squeeze(-1)
            perdida = criterio(salida, y[lote])
            opt.zero_grad()
            perdida.backward()
            opt.step()
            perdidas.append(perdida.item())
        if epoca % 10 == 0:
            print(f"época {epoca:2d}: pérdida media {np.mean(perdidas):.4f}")


def medir(red, x, y):
    red.eval()
    with torch.no_grad():
        dice_baja = (red(x).squeeze(-1) > 0).float()
    acierto = (dice_baja == y).float().mean().item()
    recuerdo = dice_baja[y == 1].mean().item()
    return acierto, recuerdo


torch.manual_seed(0)
x, y = tabla(*simular())
en_filas, pr_filas = repartir(len(x), 0.75, np.random.default_rng(1))
x = torch.from_numpy(normalizar(x, en_filas))
y = torch.from_numpy(y)

red = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
entrenar(red, x[en_filas], y[en_filas])

mayoria = max(y[pr_filas].mean().item(), 1 - y[pr_filas].mean().item())
acierto, recuerdo = medir(red, x[pr_filas], y[pr_filas])
print(f"prueba: acierto {acierto:.3f} (clase mayor {mayoria:.3f}), bajas encontradas {recuerdo:.3f}")
