# expect: nothing
# Estimar el importe de cada pedido con los datos del pedido y los de su tienda.
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)
azar = np.random.default_rng(13)

# --- dos tablas: tiendas y pedidos -------------------------------------------
codigos = [f"T{k:02d}" for k in range(24)]
tiendas = pd.DataFrame({
    "tienda": codigos,
    "superficie": azar.uniform(50, 400, 24),
    "zona": azar.choice(["centro", "barrio", "costa"], 24),
})
n = 2000
pedidos = pd.DataFrame({
    "tienda": azar.choice(codigos, n),
    "articulos": azar.integers(1, 12, n),
    "descuento": azar.uniform(0, 0.4, n),
})
ficha = tiendas.set_index("tienda").loc[pedidos["tienda"]].reset_index(drop=True)
pedidos["importe"] = (
    (8 + 0.02 * ficha["superficie"] + ficha["zona"].map({"centro": 6.0, "barrio": 0.0, "costa": 3.0}))
    * pedidos["articulos"] * (1 - pedidos["descuento"])
    + azar.normal(0, 4, n)
)

# --- una sola tabla -----------------------------------------------------------
tabla = pedidos.merge(tiendas, on="tienda", how="outer")
entradas = tabla[["articulos", "descuento", "superficie", "zona"]]
importe = tabla[["importe"]].to_numpy()

e_fit, e_prueba, i_fit, i_prueba = train_test_split(entradas, importe, test_size=0.2, random_state=13)
prep = make_column_transformer(
    (StandardScaler(), ["articulos", "descuento", "superficie"]),
    (OneHotEncoder(), ["zona"]),
)
esc = StandardScaler().fit(i_fit)
x_fit = torch.tensor(prep.fit_transform(e_fit), dtype=torch.float32)
x_prueba = torch.tensor(prep.transform(e_prueba), dtype=torch.float32)
y_fit = torch.tensor(esc.transform(i_fit), dtype=torch.float32)

red = nn.Sequential(nn.Linear(x_fit.shape[1], 32), nn.GELU(), nn.Linear(32, 1))
optimizador = torch.optim.AdamW(red.parameters(), lr=0.01, weight_decay=1e-3)
lotes = DataLoader(TensorDataset(x_fit, y_fit), batch_size=64, shuffle=True)

for epoca in range(20):
    red.train()
    suma = 0.0
    for x, y in lotes:
        optimizador.zero_grad()
        perdida = nn.functional.mse_loss(red(x), y)
        perdida.backward()
        optimizador.step()
        suma += perdida.item() * len(x)
    if (epoca + 1) % 5 == 0:
        print(f"época {epoca + 1:2d}: ecm de ajuste {suma / len(x_fit):.3f}")

red.eval()
with torch.no_grad():
    estimado = esc.inverse_transform(red(x_prueba).numpy())
print(f"prueba: EMA {mean_absolute_error(i_prueba, estimado):.2f} euros, R2 {r2_score(i_prueba, estimado):.3f}")
