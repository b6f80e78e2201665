# expect: nothing
"""Precio de pisos: tabla ordenada por precio, dividida en entrenamiento y prueba, y ajustada con una red."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def cargar(n=1000, seed=9):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "metros": rng.normal(85, 25, n).clip(25),
        "planta": rng.integers(0, 9, n),
        "centro_km": rng.exponential(4, n),
        "ascensor": rng.integers(0, 2, n),
    })
    df["precio"] = (2.1 * df.metros + 6 * df.planta * df.ascensor + 60 * np.exp(-df.centro_km / 3)
                    + rng.normal(0, 10, n))
    return df.sort_values("precio", ascending=False).reset_index(drop=True)


def dividir(df, frac=0.8):
    df = df.sample(frac=1.0, random_state=0)
    corte = int(len(df) * frac)
    return df.iloc[:corte], df.iloc[corte:]


def tensores(df, media, desv):
    z = (df - media) / desv
    x = torch.tensor(z.drop(columns="precio").to_numpy(), dtype=torch.float32)
    return x, torch.tensor(z[["precio"]].to_numpy(), dtype=torch.float32)


def entrenar():
    torch.manual_seed(2)
    entren, prueba = dividir(cargar())
    media, desv = entren.mean(), entren.std()
    x, y = tensores(entren, media, desv)
    xt, yt = tensores(prueba, media, desv)
    datos = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
    red = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(red.parameters(), lr=3e-3)
    perdida = nn.MSELoss()
    for epoca in range(20):
        red.train()
        total = 0.0
        for xb, yb in datos:
            opt.zero_grad()
            error = perdida(red(xb), yb)
            error.backward()
            opt.step()
            total += error.item()
        if epoca % 5 == 4:
            print(f"época {epoca + 1}: mse {total / len(datos):.4f}")
    red.eval()
    with torch.inference_mode():
        mse = perdida(red(xt), yt).item()
    print(f"prueba: rmse {mse ** 0.5 * desv['precio']:.2f}  R2 {1 - mse / yt.var().item():.3f}")


if __name__ == "__main__":
    entrenar()
