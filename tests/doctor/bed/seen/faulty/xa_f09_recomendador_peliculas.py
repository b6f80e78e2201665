# expect: test_in_train @ 48
# allowed: test_in_train @ 49
# allowed: test_in_train @ 102
"""Sistema de recomendación por factorización de matrices con sesgos.

Entrega final de Minería de Datos. Las valoraciones son sintéticas (gustos latentes + ruido),
con el mismo formato que MovieLens: usuario, película, nota.
"""
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn


@dataclass
class Config:
    usuarios: int = 150
    peliculas: int = 80
    por_usuario: int = 30
    prueba_por_usuario: int = 7
    dim: int = 4
    epocas: int = 9
    lote: int = 128
    lr: float = 1e-2
    l2: float = 3e-4
    semilla: int = 21


def simular_valoraciones(cfg):
    rng = np.random.default_rng(cfg.semilla)
    gusto = rng.normal(0, 0.6, (cfg.usuarios, 2))
    tema = rng.normal(0, 0.6, (cfg.peliculas, 2))
    sesgo_u, sesgo_p = rng.normal(0, 0.4, cfg.usuarios), rng.normal(0, 0.6, cfg.peliculas)
    filas = []
    for u in range(cfg.usuarios):
        vistas = rng.choice(cfg.peliculas, cfg.por_usuario, replace=False)
        notas = 3.4 + sesgo_u[u] + sesgo_p[vistas] + tema[vistas] @ gusto[u]
        notas = np.clip(notas + rng.normal(0, 0.7, len(vistas)), 0.5, 5.0)
        filas.append(pd.DataFrame({"usuario": u, "pelicula": vistas, "nota": notas.round(1)}))
    return pd.concat(filas, ignore_index=True).sample(frac=1.0, random_state=cfg.semilla, ignore_index=True)


def separar(df, cfg):
    """Aparta para la prueba unas cuantas películas de cada usuario."""
    prueba = df.groupby("usuario").sample(n=cfg.prueba_por_usuario, random_state=cfg.semilla)
    prueba = prueba.reset_index(drop=True)
    entreno = df.drop(index=prueba.index)
    return entreno.reset_index(drop=True), prueba


def a_tensores(df):
    return (torch.tensor(df["usuario"].to_numpy()), torch.tensor(df["pelicula"].to_numpy()),
            torch.tensor(df["nota"].to_numpy(), dtype=torch.float32))


class Factorizacion(nn.Module):
    def __init__(self, cfg, media):
        super().__init__()
        self.pu = nn.Embedding(cfg.usuarios, cfg.dim)
        self.qi = nn.Embedding(cfg.peliculas, cfg.dim)
        self.bu = nn.Embedding(cfg.usuarios, 1)
        self.bi = nn.Embedding(cfg.peliculas, 1)
        for factores in (self.pu, self.qi):
            nn.init.normal_(factores.weight, std=0.1)
        for sesgo in (self.bu, self.bi):
            nn.init.zeros_(sesgo.weight)
        self.register_buffer("media", torch.tensor(media))

    def forward(self, u, i):
        cruce = (self.pu(u) * self.qi(i)).sum(dim=-1)
        return self.media + self.bu(u).squeeze(-1) + self.bi(i).squeeze(-1) + cruce


def entrenar(modelo, datos, cfg):
    u, i, nota = datos
    opt = torch.optim.Adam(modelo.parameters(), lr=cfg.lr, weight_decay=cfg.l2)
    for epoca in range(1, cfg.epocas + 1):
        modelo.train()
        acumulado = 0.0
        for idx in torch.randperm(len(nota)).split(cfg.lote):
            perdida = nn.functional.mse_loss(modelo(u[idx], i[idx]), nota[idx])
            opt.zero_grad()
            perdida.backward()
            opt.step()
            acumulado += perdida.item() * len(idx)
        if epoca % 3 == 0:
            print(f"época {epoca:2d}  RMSE de entrenamiento {(acumulado / len(nota)) ** 0.5:.4f}")


@torch.no_grad()
def rmse(modelo, datos):
    modelo.eval()
    u, i, nota = datos
    return (modelo(u, i) - nota).pow(2).mean().sqrt().item()


def main(cfg=Config()):
    torch.manual_seed(cfg.semilla)
    df = simular_valoraciones(cfg)
    entreno, prueba = separar(df, cfg)
    print(f"{len(df)} valoraciones: {len(entreno)} de entrenamiento, {len(prueba)} de prueba")

    modelo = Factorizacion(cfg, float(entreno["nota"].mean()))
    entrenar(modelo, a_tensores(entreno), cfg)

    base = float(((prueba["nota"] - entreno["nota"].mean()) ** 2).mean() ** 0.5)
    print(f"RMSE de prueba: {rmse(modelo, a_tensores(prueba)):.4f}   (solo la media: {base:.4f})")


if __name__ == "__main__":
    main()
