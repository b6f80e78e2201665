# expect: non_finite_loss @ 40
# allowed: non_finite_loss @ 51
# allowed: non_finite_loss @ 52
# Tabla de laboratorio con tres medidas por muestra; no todas las muestras tienen las tres.
# Un solo modelo predice las tres y la pérdida solo cuenta las medidas que existen.
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

semilla = 13
torch.manual_seed(semilla)
gen = np.random.default_rng(semilla)

n = 1200
tabla = pd.DataFrame(gen.normal(size=(n, 5)), columns=["ph", "temp", "sal", "turb", "color"])
tabla["dureza"] = 1.5 * tabla.ph - tabla.sal + gen.normal(0, 0.3, n)
tabla["cloro"] = np.sin(2 * tabla.temp) + 0.5 * tabla.color + gen.normal(0, 0.3, n)
tabla["nitrato"] = tabla.turb * tabla.sal + gen.normal(0, 0.3, n)
# el nitrato es caro: se mide en una de cada diez muestras
tabla.loc[gen.random(n) < 0.90, "nitrato"] = np.nan
tabla.loc[gen.random(n) < 0.25, "cloro"] = np.nan

METAS = ["dureza", "cloro", "nitrato"]
entradas = torch.tensor(tabla.drop(columns=METAS).to_numpy(), dtype=torch.float32)
medidas = tabla[METAS].to_numpy(dtype=np.float32)
hay = torch.tensor(~np.isnan(medidas))
metas = torch.tensor(np.nan_to_num(medidas))

datos = TensorDataset(entradas, metas, hay)
entreno, prueba = random_split(datos, [900, 300], generator=torch.Generator().manual_seed(semilla))
cargador = DataLoader(entreno, batch_size=25, shuffle=True)


def errores_por_meta(pred, meta, hay):
    """Error cuadrático medio de cada columna, contando solo lo medido."""
    hay = hay.float()
    suma = ((pred - meta) ** 2 * hay).sum(dim=0)
    return suma / hay.sum(dim=0)


modelo = nn.Sequential(nn.Linear(5, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 3))
optim = torch.optim.Adam(modelo.parameters(), lr=3e-3)

for epoca in range(1, 31):
    modelo.train()
    acumulada = 0.0
    for x, m, h in cargador:
        optim.zero_grad()
        perdida = errores_por_meta(modelo(x), m, h).mean()
        perdida.backward()
        optim.step()
        acumulada += perdida.item() * len(x)
    if epoca % 6 == 0:
        print(f"época {epoca:2d}  pérdida {acumulada / len(entreno):.4f}")

modelo.eval()
x, m, h = (torch.stack(c) for c in zip(*prueba))
with torch.no_grad():
    por_meta = errores_por_meta(modelo(x), m, h)
for nombre, valor in zip(METAS, por_meta.sqrt().tolist()):
    print(f"RMSE de prueba {nombre:8s} {valor:.3f}")
