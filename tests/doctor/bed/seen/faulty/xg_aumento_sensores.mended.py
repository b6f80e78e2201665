# expect: nothing
"""Clasificación de lecturas de sensores; pocas muestras, se amplían con ruido."""
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Config:
    semilla: int = 13
    copias: int = 5
    ruido: float = 0.03
    oculto: int = 64
    epocas: int = 20
    tasa: float = 2e-3


def aumentar(X, y, copias, ruido, rng):
    partes = [X] + [X + ruido * X.std(axis=0) * rng.normal(size=X.shape) for _ in range(copias)]
    return np.concatenate(partes), np.tile(y, copias + 1)


def datos(cfg):
    rng = np.random.default_rng(cfg.semilla)
    X, y = make_classification(n_samples=500, n_features=20, n_informative=5, n_redundant=0,
                               flip_y=0.15, class_sep=1.0, random_state=cfg.semilla)
    X_ent, X_pru, y_ent, y_pru = train_test_split(
        X, y, test_size=0.3, random_state=cfg.semilla, stratify=y)
    X_ent, y_ent = aumentar(X_ent, y_ent, cfg.copias, cfg.ruido, rng)
    esc = StandardScaler().fit(X_ent)
    a = lambda m: torch.tensor(esc.transform(m), dtype=torch.float32)
    return a(X_ent), torch.tensor(y_ent), a(X_pru), torch.tensor(y_pru)


def exactitud(red, X, y):
    red.eval()
    with torch.no_grad():
        return (red(X).argmax(1) == y).float().mean().item()


def principal(cfg):
    torch.manual_seed(cfg.semilla)
    X_ent, y_ent, X_pru, y_pru = datos(cfg)
    red = nn.Sequential(nn.Linear(20, cfg.oculto), nn.ReLU(),
                        nn.Linear(cfg.oculto, cfg.oculto), nn.ReLU(), nn.Linear(cfg.oculto, 2))
    opt = torch.optim.AdamW(red.parameters(), lr=cfg.tasa, weight_decay=1e-2)
    costo = nn.CrossEntropyLoss()
    for ep in range(cfg.epocas):
        red.train()
        total = 0.0
        for idx in torch.randperm(len(X_ent)).split(100):
            opt.zero_grad()
            perdida = costo(red(X_ent[idx]), y_ent[idx])
            perdida.backward()
            opt.step()
            total += perdida.item() * len(idx)
        if ep % 10 == 9:
            print(f"época {ep + 1}: pérdida {total / len(X_ent):.4f}")
    print(f"entrenamiento {exactitud(red, X_ent, y_ent):.3f}  prueba {exactitud(red, X_pru, y_pru):.3f}")


principal(Config())
