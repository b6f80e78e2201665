# expect: bad_label_values @ 42
# allowed: bad_label_values @ 59
# mend: 42 →     y = torch.tensor(tabla["soc_pct"].values / 100, dtype=torch.float32).unsqueeze(1)
# Estimar el estado de carga de una batería a partir de las medidas del sistema de gestión.
# El valor está acotado, por eso la última capa es logística y se entrena con entropía cruzada.
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

np.random.seed(21)
torch.manual_seed(21)

COLUMNAS = ["tension", "corriente", "temperatura", "ciclos"]
EPOCAS = 25


def leer_registros(n=2400):
    carga = np.random.beta(1.6, 1.4, n)
    temperatura = np.random.uniform(-5, 45, n)
    corriente = np.random.normal(0, 12, n)
    ciclos = np.random.randint(0, 900, n)
    tension = (
        3.2 + 0.75 * carga + 0.18 * np.tanh(8 * (carga - 0.9)) - 0.006 * corriente
        - 0.00012 * ciclos + 0.0015 * (temperatura - 20) + np.random.normal(0, 0.012, n)
    )
    return pd.DataFrame({
        "tension": tension, "corriente": corriente, "temperatura": temperatura,
        "ciclos": ciclos, "soc_pct": (100 * carga).round(1),
    })


registros = leer_registros()
entrenamiento = registros.sample(frac=0.75, random_state=0)
prueba = registros.drop(entrenamiento.index)
media, desvio = entrenamiento[COLUMNAS].mean(), entrenamiento[COLUMNAS].std()


def tensores(tabla):
    x = torch.tensor(((tabla[COLUMNAS] - media) / desvio).values, dtype=torch.float32)
    y = torch.tensor(tabla["soc_pct"].values, dtype=torch.float32).unsqueeze(1)
    return x, y


x_ent, y_ent = tensores(entrenamiento)
cargador = DataLoader(TensorDataset(x_ent, y_ent), batch_size=60, shuffle=True)

red = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
criterio = nn.BCEWithLogitsLoss()
optimizador = torch.optim.Adam(red.parameters(), lr=2e-3)


def una_epoca():
    red.train()
    acumulado = 0.0
    for x, y in cargador:
        optimizador.zero_grad()
        perdida = criterio(red(x), y)
        perdida.backward()
        optimizador.step()
        acumulado += perdida.item() * x.size(0)
    return acumulado / len(cargador.dataset)


for epoca in range(EPOCAS):
    valor = una_epoca()
    if epoca % 6 == 0:
        print(f"época {epoca:2d}: pérdida {valor:.4f}")

red.eval()
with torch.no_grad():
    x_pru, _ = tensores(prueba)
    estimado = 100 * torch.sigmoid(red(x_pru)).squeeze(1).numpy()
real = prueba["soc_pct"].values
print(f"prueba: error medio {np.abs(estimado - real).mean():.2f} puntos de carga")
print("primeras filas:", np.round(estimado[:5], 1), "reales:", real[:5])
