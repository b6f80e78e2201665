# expect: nothing
# Tarea 5 (Minería de Datos): ¿qué clientes se dan de baja?
# Hay dos tablas: las llamadas (muchas por cliente) y la ficha de cada cliente.
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(5)
torch.manual_seed(5)


def simular_tablas(n_clientes=600):
    """Imita la exportación de la empresa: las fichas van por fecha de alta."""
    cods = rng.choice(np.arange(10_000, 99_999), size=n_clientes, replace=False)
    baja = rng.integers(0, 2, size=n_clientes)
    fichas = pd.DataFrame({"cliente": cods, "baja": baja})

    n_llam = rng.integers(8, 20, size=n_clientes)
    filas = np.repeat(np.arange(n_clientes), n_llam)
    llamadas = pd.DataFrame({
        "cliente": cods[filas],
        "duracion": rng.gamma(2.0, 2.0 - 0.6 * baja[filas]),
        "espera": rng.exponential(1.0 + 0.8 * baja[filas]),
        "reclamo": (rng.random(len(filas)) < 0.08 + 0.12 * baja[filas]).astype(float),
        "coste": rng.normal(3.0, 1.0, size=len(filas)),
    })
    llamadas = llamadas.sample(frac=1.0, random_state=5).reset_index(drop=True)
    return llamadas, fichas


def resumir(llamadas):
    """Una fila por cliente con los promedios de sus llamadas."""
    por_cliente = llamadas.groupby("cliente")
    tabla = por_cliente[["duracion", "espera", "reclamo", "coste"]].mean()
    tabla["max_espera"] = por_cliente["espera"].max()
    tabla["n_llamadas"] = por_cliente.size()
    return tabla


def a_tensor(a, tipo=torch.float32):
    return torch.as_tensor(np.asarray(a), dtype=tipo)


llamadas, fichas = simular_tablas()
resumen = resumir(llamadas)
X = resumen.to_numpy()
y = fichas.set_index("cliente")["baja"].loc[resumen.index].to_numpy()
assert len(X) == len(y)

X_ent, X_pru, y_ent, y_pru = train_test_split(
    X, y, test_size=0.25, stratify=y, random_state=0)
escala = StandardScaler().fit(X_ent)
ent = TensorDataset(a_tensor(escala.transform(X_ent)), a_tensor(y_ent))
pru_x, pru_y = a_tensor(escala.transform(X_pru)), a_tensor(y_pru)

red = nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
perdida_fn = nn.BCEWithLogitsLoss()
optimizador = torch.optim.Adam(red.parameters(), lr=5e-3, weight_decay=1e-4)
cargador = DataLoader(ent, batch_size=32, shuffle=True)

for epoca in range(1, 16):
    red.train()
    suma = 0.0
    for xb, yb in cargador:
        optimizador.zero_grad()
        perdida = perdida_fn(red(xb).squeeze(-1), yb)
        perdida.backward()
        optimizador.step()
        suma += perdida.item() * len(yb)
    if epoca % 3 == 0:
        print(f"época {epoca:2d}  pérdida {suma / len(ent):.4f}")

red.eval()
with torch.no_grad():
    pred = (red(pru_x).squeeze(-1) > 0).float()
print(f"exactitud de prueba: {(pred == pru_y).float().mean():.3f}")
print(f"clase mayoritaria:   {max(pru_y.mean(), 1 - pru_y.mean()):.3f}")
